//! Forms of several parts (RFC 7578), as a browser and `curl -F` send them.

use super::section::Section;
use crate::args::settings::FormField;
use crate::error::Error;
use crate::hex::hex;
use crate::protocol::random::Randomness;
use crate::store::StoreError;
use crate::system::SystemRandomness;

/// A field with its content.
pub(super) struct Part<'a> {
    pub(super) field: &'a FormField,
    pub(super) section: Section,
}

/// The media type, with a boundary that no content has, and the whole body.
///
/// # Errors
/// The system has no randomness.
pub(super) fn multipart(parts: Vec<Part<'_>>) -> Result<(String, Vec<Section>), Error> {
    let mut random = [0u8; 12];
    SystemRandomness.fill(&mut random).map_err(StoreError::Randomness)?;
    let boundary = format!("------------------------{}", hex(&random));
    let mut sections = Vec::new();
    for Part { field, section } in parts {
        sections.push(Section::Bytes(head(&boundary, field).into_bytes()));
        sections.push(section);
        sections.push(Section::Bytes(b"\r\n".to_vec()));
    }
    sections.push(Section::Bytes(format!("--{boundary}--\r\n").into_bytes()));
    Ok((format!("multipart/form-data; boundary={boundary}"), sections))
}

fn head(boundary: &str, field: &FormField) -> String {
    let mut head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
        escape(&field.name)
    );
    if let Some(file_name) = &field.file_name {
        head += &format!("; filename=\"{}\"", escape(file_name));
    }
    if let Some(media_type) = &field.media_type {
        head += &format!("\r\nContent-Type: {media_type}");
    }
    head + "\r\n\r\n"
}

/// As the HTML standard writes names (§4.10.22.8).
fn escape(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
