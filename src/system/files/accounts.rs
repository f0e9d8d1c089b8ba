//! Which groups and users are as good as the user alone, or root. Asked only
//! where a plain look at owner and mode does not settle it.

use std::fs;

/// The owner that is shown for users of the system outside of a user namespace.
const OVERFLOW_UID: u32 = 65534;
/// The group of administrators, who may become root.
#[cfg(target_os = "macos")]
const ADMIN_GID: u32 = 80;

/// Whether this owner is one that the user namespace of a sandbox does not
/// know: there, root's own files are shown like that. Outside of one, the same
/// number is a user like any other.
pub(super) fn is_root_of_outer_system(uid: u32) -> bool {
    uid == OVERFLOW_UID
        && rustix::process::geteuid().as_raw() != uid
        && fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !map.trim().is_empty() && !is_mapped(&map, uid))
}

/// Lines of `INSIDE OUTSIDE COUNT`, user_namespaces(7).
fn is_mapped(map: &str, uid: u32) -> bool {
    let numbers = |line: &str| -> Option<(u64, u64)> {
        let mut words = line.split_whitespace().map(str::parse);
        let first: u64 = words.next()?.ok()?;
        let count: u64 = words.nth(1)?.ok()?;
        Some((first, first.saturating_add(count)))
    };
    let uid = u64::from(uid);
    // A line that cannot be read hides nothing
    map.lines()
        .any(|line| numbers(line).is_none_or(|(first, end)| (first..end).contains(&uid)))
}

/// Whether only the user (and root) is in this group, as on systems that
/// give each user a group and make files writable for it.
pub(super) fn is_group_of_user_alone(gid: u32) -> bool {
    #[cfg(target_os = "macos")]
    if gid == ADMIN_GID {
        return true;
    }
    if gid == 0 {
        return true;
    }
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    is_private_group(
        gid,
        rustix::process::geteuid().as_raw(),
        &read("/etc/passwd"),
        &read("/etc/group"),
    )
}

/// By passwd(5) and group(5). A group that is not in there may have any members.
fn is_private_group(gid: u32, uid: u32, passwd: &str, group: &str) -> bool {
    let (gid, uid) = (gid.to_string(), uid.to_string());
    let field = |line: &str, index: usize| line.split(':').nth(index).unwrap_or_default().to_owned();
    let Some(user) = passwd.lines().find(|line| field(line, 2) == uid) else {
        return false;
    };
    let name = field(user, 0);
    let shares_it = |line: &str| field(line, 3) == gid && field(line, 0) != name;
    let mut groups = group.lines().filter(|line| field(line, 2) == gid).peekable();
    let members = |line: &str| {
        field(line, 3)
            .split(',')
            .all(|member| member.is_empty() || member == name)
    };
    field(user, 3) == gid && groups.peek().is_some() && groups.all(members) && !passwd.lines().any(shares_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:100::/home/bob:/bin/sh\ncarol:x:1002:100::/home/carol:/bin/sh\ndave:x:1003:1003::/home/dave:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nusers:x:100:\nalice:x:1000:alice\ndave:x:1003:dave,bob\n";

    #[test]
    fn a_group_is_private_when_nobody_else_is_in_it() {
        let is_private = |gid, uid| is_private_group(gid, uid, PASSWD, GROUP);
        assert!(is_private(1000, 1000), "alice's own group");
        assert!(!is_private(100, 1001), "the primary group of carol too");
        assert!(!is_private(1003, 1003), "bob was added");
        assert!(!is_private(1000, 1001), "the group of another user");
        assert!(!is_private(4711, 1000), "a group that is not listed");
        assert!(
            !is_private_group(1000, 1000, "", ""),
            "a directory service that is not read"
        );
    }

    #[test]
    fn the_number_of_nobody_is_a_user_unless_a_namespace_hides_who_it_is() {
        assert!(is_mapped("         0          0 4294967295\n", OVERFLOW_UID));
        assert!(!is_mapped("      1000       1000          1\n", OVERFLOW_UID));
        assert!(is_mapped("0 1000 1\n1 100000 65536\n", OVERFLOW_UID));
        assert!(is_mapped("what is this", OVERFLOW_UID), "in doubt it is a user");
    }
}
