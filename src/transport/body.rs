//! The body of an answer: its framing, its bounds, and gzip where a server
//! compresses although `identity` was asked for (RFC 9110 §8.4).

use super::MAX_BODY_BYTES;
use super::error::TransportError;
use super::failure::RequestContext;
use crate::secret::Secret;
use flate2::read::MultiGzDecoder;
use flate2::write;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// How the body of an answer is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    /// One that is not known here, or several.
    Other(String),
}

/// Reads from the headers how the body is encoded. Refuses a transfer that is
/// encoded, and a body with two lengths (RFC 9112 §6.3: an attempt at smuggling).
pub(super) fn check_framing(
    headers: &[(String, String)],
    context: &RequestContext<'_>,
) -> Result<Coding, TransportError> {
    let values = |wanted: &'static str| {
        let of_this_name = headers.iter().filter(move |(name, _)| name == wanted);
        let values = of_this_name.flat_map(|(_, value)| value.split(',')).map(str::trim);
        values.filter(|value| !value.is_empty())
    };
    let transfer = values("transfer-encoding").find(|coding| !coding.eq_ignore_ascii_case("chunked"));
    if let Some(coding) = transfer {
        return Err(context.encoded(coding));
    }
    if values("transfer-encoding").next().is_some() && values("content-length").next().is_some() {
        return Err(context.malformed("both Content-Length and Transfer-Encoding are given"));
    }
    let mut codings = values("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(Coding::Identity),
        (Some(coding), None) if ["gzip", "x-gzip"].iter().any(|gzip| coding.eq_ignore_ascii_case(gzip)) => {
            Ok(Coding::Gzip)
        }
        (Some(coding), _) => Ok(Coding::Other(coding.to_owned())),
    }
}

/// Reads the body, which must be plain or gzip; neither it nor what it decodes to may be longer than [`MAX_BODY_BYTES`].
pub(super) async fn read_body(
    mut response: reqwest::Response,
    coding: Coding,
    context: &RequestContext<'_>,
) -> Result<Secret<Vec<u8>>, TransportError> {
    if let Coding::Other(coding) = &coding {
        return Err(context.encoded(coding));
    }
    let announced = response.content_length().unwrap_or(0);
    if announced > MAX_BODY_BYTES as u64 {
        return Err(context.body_too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| context.failed(&error))? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(context.body_too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let body = Secret::new(body);
    match coding {
        Coding::Gzip if !body.expose().is_empty() => decode_gzip(body.expose(), context),
        _ => Ok(body),
    }
}

fn decode_gzip(body: &[u8], context: &RequestContext<'_>) -> Result<Secret<Vec<u8>>, TransportError> {
    let mut decoded = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(MAX_BODY_BYTES as u64 + 1);
    let outcome = decoder.read_to_end(&mut decoded);
    let decoded = Secret::new(decoded);
    if decoded.expose().len() > MAX_BODY_BYTES {
        return Err(context.body_too_large());
    }
    match outcome {
        Ok(_) => Ok(decoded),
        Err(_) => Err(context.undecodable()),
    }
}

/// So much is decoded at once; it may become a thousand times as much.
const GZIP_STEP_BYTES: usize = 1024;

/// A body that is decoded piece by piece.
#[derive(Debug)]
pub(super) struct GzipStream {
    decoder: write::MultiGzDecoder<Vec<u8>>,
    /// What came and was not decoded yet.
    encoded: VecDeque<u8>,
    has_begun: bool,
}

impl Default for GzipStream {
    fn default() -> Self {
        GzipStream {
            decoder: write::MultiGzDecoder::new(Vec::new()),
            encoded: VecDeque::new(),
            has_begun: false,
        }
    }
}

impl GzipStream {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.has_begun |= !piece.is_empty();
        self.encoded.extend(piece);
    }

    /// The next decoded piece; `None` where more must come first.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.encoded.is_empty() {
            let step = self.encoded.len().min(GZIP_STEP_BYTES);
            let step: Vec<u8> = self.encoded.drain(..step).collect();
            self.decoder.write_all(&step)?;
            if !self.decoder.get_ref().is_empty() {
                return Ok(Some(std::mem::take(self.decoder.get_mut())));
            }
        }
        Ok(None)
    }

    /// Whether nothing is missing. An empty body is one that was not encoded.
    pub(super) fn is_at_end(&mut self) -> bool {
        !self.has_begun || self.decoder.try_finish().is_ok()
    }
}
