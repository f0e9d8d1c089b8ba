//! The docker command line with `docker-credential-oauth` as its credential
//! helper. Debian 12 has it with the whole engine alone, so that the machine of
//! the tests is not given it; `./test --debian` has it.

use crate::place::has_docker;
use crate::registry::Place;
use crate::support::certificates::{Authority, start_tls};
use crate::support::outcome::run;
use crate::support::sessions::KEPT_ACCESS_TOKEN;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[test]
fn docker_reads_an_image_with_the_token() {
    if !has_docker() {
        return;
    }
    // docker speaks https first, and waits for an answer
    let place = Place::new(start_tls(&Authority::new().issue(&["127.0.0.1"])));
    let mut command = place.program("docker");
    // what it says of an image without layers does not matter here
    run(command.args(["manifest", "inspect", "--insecure", &place.image()]));
    let wanted = format!("Basic {}", STANDARD.encode(format!("oauth2:{KEPT_ACCESS_TOKEN}")));
    let requests = place.registry.requests_to("/v2/app/manifests/latest");
    assert!(
        requests
            .iter()
            .any(|request| request.header("authorization") == Some(wanted.as_str())),
        "{requests:?}"
    );
}
