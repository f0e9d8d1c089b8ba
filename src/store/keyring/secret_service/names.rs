//! The names of the Secret Service on the bus.

pub(super) const BUS_NAME: &str = "org.freedesktop.secrets";
pub(super) const SERVICE_PATH: &str = "/org/freedesktop/secrets";
pub(super) const SERVICE: &str = "org.freedesktop.Secret.Service";
pub(super) const COLLECTION: &str = "org.freedesktop.Secret.Collection";
pub(super) const ITEM: &str = "org.freedesktop.Secret.Item";
pub(super) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
pub(super) const LABEL_PROPERTY: &str = "org.freedesktop.Secret.Item.Label";
pub(super) const ATTRIBUTES_PROPERTY: &str = "org.freedesktop.Secret.Item.Attributes";
