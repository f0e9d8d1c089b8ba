//! The device authorization grant (RFC 8628): codes that wait for a decision,
//! and the tokens for one that was allowed.

use super::error::{GrantError, IssueCodeError};
use super::grant::{IssuedTokens, RequestKey, narrow_resource};
use super::opaque_token::{GrantId, Presented, draw_token};
use super::pending_device::{DeviceDecision, DeviceRequest, PendingDevice};
use super::store::Grants;
use super::user_code::UserCode;
use crate::protocol::client::ClientId;
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::resource::Resource;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::moment::Moment;
use sha2::{Digest, Sha256};

/// How long both codes can be used.
pub(crate) const DEVICE_CODE_S: i64 = 15 * 60;

/// For so long after that, a client gets the error that its code has expired.
const REMEMBERED_S: i64 = 15 * 60;

/// The two codes of a request.
pub(crate) struct IssuedDeviceCodes {
    pub(crate) device_code: Secret,
    pub(crate) user_code: UserCode,
}

/// A token request for a device code.
pub(crate) struct DeviceRedemption<'a> {
    pub(crate) client_id: &'a ClientId,
    pub(crate) device_code: &'a Secret,
    pub(crate) code_verifier: Option<&'a CodeVerifier>,
    pub(crate) resource: &'a [Resource],
    pub(crate) key: RequestKey<'a>,
}

impl Grants {
    /// Issues both codes. Who asks for many pushes out none of another client.
    ///
    /// # Errors
    /// [`IssueCodeError`].
    pub(crate) fn issue_device_codes(
        &mut self,
        moment: &mut Moment<'_>,
        request: DeviceRequest,
        interval_s: i64,
    ) -> Result<IssuedDeviceCodes, IssueCodeError> {
        let now = moment.now;
        let id = GrantId::draw(moment.randomness)?;
        let (device_code, hash) = draw_token(moment.randomness, &[&id.0])?;
        let user_code = match moment.policy.short_user_code_chars() {
            None => UserCode::draw(moment.randomness)?,
            Some(length) => UserCode::draw_of_length(moment.randomness, length)?,
        };
        let owner = Sha256::digest(request.client_id.as_str().as_bytes()).into();
        let expires_at = now.plus_seconds(DEVICE_CODE_S);
        let pending = PendingDevice {
            hash,
            request,
            decision: DeviceDecision::Pending,
            expires_at,
            interval_s,
            asked_last_at: None,
        };
        let forgotten_at = expires_at.plus_seconds(REMEMBERED_S);
        self.devices.insert_fairly(now, id, pending, forgotten_at, owner)?;
        self.user_codes.insert(now, user_code.clone(), id, expires_at);
        Ok(IssuedDeviceCodes { device_code, user_code })
    }

    /// The request behind a user code that was not decided about yet.
    pub(crate) fn undecided_device(&self, now: UnixSeconds, user_code: &UserCode) -> Option<&DeviceRequest> {
        let id = self.user_codes.get(now, user_code)?;
        let device = self.devices.get(now, id)?;
        matches!(device.decision, DeviceDecision::Pending).then_some(&device.request)
    }

    /// Takes the decision, once: then the user code is of no use any more. Says
    /// whether there was something to decide.
    pub(crate) fn decide_device(&mut self, now: UnixSeconds, user_code: &UserCode, decision: DeviceDecision) -> bool {
        let Some(id) = self.user_codes.remove(now, user_code) else {
            return false;
        };
        self.decide(now, id, decision)
    }

    /// The same for a device code, where no person is asked.
    pub(crate) fn decide_unasked(
        &mut self,
        now: UnixSeconds,
        device_code: &Secret,
        decide: impl FnOnce(&DeviceRequest) -> DeviceDecision,
    ) {
        let Some((id, device)) = self.find_device(now, device_code) else {
            return;
        };
        let decision = decide(&device.request);
        self.decide(now, id, decision);
    }

    fn decide(&mut self, now: UnixSeconds, id: GrantId, decision: DeviceDecision) -> bool {
        match self.devices.get_mut(now, &id) {
            Some(device) if matches!(device.decision, DeviceDecision::Pending) => {
                device.decision = decision;
                true
            }
            _ => false,
        }
    }

    /// The client that a device code was issued to.
    pub(crate) fn client_of_device_code(&self, now: UnixSeconds, device_code: &Secret) -> Option<&ClientId> {
        let (_, device) = self.find_device(now, device_code)?;
        Some(&device.request.client_id)
    }

    fn find_device(&self, now: UnixSeconds, device_code: &Secret) -> Option<(GrantId, &PendingDevice)> {
        let presented = Presented::read(device_code, &[])?;
        let device = self.devices.get(now, &presented.id)?;
        device.hash.matches(&presented.bytes).then_some((presented.id, device))
    }

    /// Redeems a device code, once, or says why there are no tokens (RFC 8628 §3.5).
    ///
    /// # Errors
    /// [`GrantError`].
    pub(crate) fn redeem_device_code(
        &mut self,
        moment: &mut Moment<'_>,
        request: &DeviceRedemption<'_>,
    ) -> Result<IssuedTokens, GrantError> {
        let (now, policy) = (moment.now, moment.policy);
        let found = self.find_device(now, request.device_code);
        let (id, device) = found.ok_or(GrantError::UnknownDeviceCode)?;
        if device.request.client_id != *request.client_id && policy.binds_device_codes_to_clients() {
            return Err(GrantError::DeviceCodeOfOtherClient);
        }
        let device = self.devices.get_mut(now, &id).ok_or(GrantError::UnknownDeviceCode)?;
        if device.expires_at <= now {
            return Err(GrantError::DeviceCodeExpired);
        }
        let mut authorization = match &device.decision {
            DeviceDecision::Denied => return Err(GrantError::DeviceDenied),
            DeviceDecision::Allowed(authorization) => (**authorization).clone(),
            DeviceDecision::Pending => match policy.waits_for_the_decision() {
                true => return Err(device.note_request(now)),
                false => device.request.authorization("nobody", now),
            },
        };
        if device.is_too_early(now) {
            return Err(device.note_request(now));
        }
        // From here on the code is gone, whatever comes of it.
        let device = self.devices.remove(now, &id).ok_or(GrantError::UnknownDeviceCode)?;
        device.request.check_verifier(request.code_verifier)?;
        let resource = narrow_resource(&authorization.resource, request.resource)?;
        authorization.refresh_key = request.key.for_refresh_tokens();
        self.create_grant(moment, id, None, authorization, resource)
    }
}
