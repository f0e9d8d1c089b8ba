//! skopeo with `docker-credential-oauth` as its credential helper.

use crate::registry::{MANIFEST, Place};
use crate::support::installed;
use crate::support::literal_server::LiteralServer;
use crate::support::outcome::{Outcome, run};

fn skopeo(place: &Place) -> Outcome {
    let image = format!("docker://{}", place.image());
    run(place
        .program("skopeo")
        .args(["inspect", "--raw", "--tls-verify=false", &image]))
}

#[test]
fn skopeo_reads_an_image_with_the_token() {
    if !installed::all(&["skopeo"], "skopeo") {
        return;
    }
    let place = Place::new(LiteralServer::start());
    let outcome = skopeo(&place).expect_code(0);
    assert_eq!(outcome.stdout.trim_end(), MANIFEST);
    // without a session it goes on without a password
    run(place.program("oauth").args(["logout", "--local", "work"])).expect_code(0);
    assert_ne!(skopeo(&place).code, Some(0));
}
