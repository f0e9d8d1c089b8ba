//! The rules, for what is ours and for what the user names. All of them look at
//! an open descriptor or, for the folders above, at the path from the root down
//! (`way.rs`). root is subject to all of them.

use super::accounts;
use super::error::FileError;
use rustix::fs::{FileType, Mode, Stat};
use std::path::Path;

/// What to do with a file of ours that others can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionPolicy {
    /// Take the permissions away: what is in it tells them nothing.
    Tighten,
    /// Refuse it: they may have what is in it.
    Refuse,
}

/// A folder of ours belongs to the effective user. Whether its mode has to become 0700.
pub(super) fn own_folder(stat: &Stat, path: &Path) -> Result<bool, FileError> {
    is_kind(stat, FileType::Directory, "folder", path)?;
    belongs_to_user(stat, path)?;
    Ok(mode(stat).intersects(FOR_OTHERS))
}

/// A file of ours is regular, has one name, and belongs to the effective user.
/// Whether its mode has to become 0600.
pub(super) fn own_file(stat: &Stat, path: &Path, policy: PermissionPolicy) -> Result<bool, FileError> {
    is_kind(stat, FileType::RegularFile, "regular file", path)?;
    belongs_to_user(stat, path)?;
    if stat.st_nlink > 1 {
        return Err(FileError::HardLink {
            path: path.to_path_buf(),
        });
    }
    match policy {
        PermissionPolicy::Tighten => Ok(mode(stat) & ALL != Mode::RUSR | Mode::WUSR),
        PermissionPolicy::Refuse if mode(stat).intersects(FOR_OTHERS) => Err(FileError::ReadableByOthers {
            path: path.to_path_buf(),
            mode: shown_mode(stat),
        }),
        PermissionPolicy::Refuse => Ok(false),
    }
}

/// A file that the user names is regular or a pipe, belongs to the user or
/// root, and can be changed by no other user. Others may read it: mounted
/// secrets are like that.
pub(super) fn named_file(stat: &Stat, path: &Path) -> Result<(), FileError> {
    if !is_pipe(stat) {
        is_kind(stat, FileType::RegularFile, "regular file or a pipe", path)?;
    }
    belongs_to_user_or_root(stat, path)?;
    changed_by_no_other(stat, path)
}

/// A pipe or a device that is written as it is belongs to the user or root.
pub(super) fn stream(stat: &Stat, path: &Path) -> Result<(), FileError> {
    belongs_to_user_or_root(stat, path)
}

/// A folder above belongs to the user or root, and no other user can rename
/// what is in it, as `StrictModes` of sshd wants it. In a sticky folder, such as
/// /tmp, they can rename what is theirs alone.
pub(super) fn folder_above(stat: &Stat, path: &Path) -> Result<(), FileError> {
    belongs_to_user_or_root(stat, path)?;
    if mode(stat).contains(Mode::SVTX) {
        return Ok(());
    }
    changed_by_no_other(stat, path)
}

/// A link on the way was made by the user or root.
pub(super) fn link(stat: &Stat, path: &Path) -> Result<(), FileError> {
    belongs_to_user_or_root(stat, path)
}

pub(super) fn is_pipe(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Fifo
}

/// `/dev/null`, which is always empty.
pub(super) fn is_null_device(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
        && rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == stat.st_rdev)
}

/// Any permission of the group or of all.
const FOR_OTHERS: Mode = Mode::RWXG.union(Mode::RWXO);

const ALL: Mode = FOR_OTHERS.union(Mode::RWXU);

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode)
}

fn shown_mode(stat: &Stat) -> u32 {
    #[allow(
        clippy::useless_conversion,
        reason = "the kernel's type has another width on other systems"
    )]
    u32::from(mode(stat).bits())
}

fn is_kind(stat: &Stat, wanted: FileType, expected: &'static str, path: &Path) -> Result<(), FileError> {
    let path = path.to_path_buf();
    match FileType::from_raw_mode(stat.st_mode) {
        found if found == wanted => Ok(()),
        FileType::Symlink => Err(FileError::Symlink { path }),
        _ => Err(FileError::WrongKind { path, expected }),
    }
}

fn belongs_to_user(stat: &Stat, path: &Path) -> Result<(), FileError> {
    if stat.st_uid == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(FileError::ForeignOwner {
        path: path.to_path_buf(),
        uid: stat.st_uid,
    })
}

fn belongs_to_user_or_root(stat: &Stat, path: &Path) -> Result<(), FileError> {
    if stat.st_uid == 0 || accounts::is_root_of_outer_system(stat.st_uid) {
        return Ok(());
    }
    belongs_to_user(stat, path)
}

fn changed_by_no_other(stat: &Stat, path: &Path) -> Result<(), FileError> {
    let by_group = mode(stat).contains(Mode::WGRP) && !accounts::is_group_of_user_alone(stat.st_gid);
    if !by_group && !mode(stat).contains(Mode::WOTH) {
        return Ok(());
    }
    Err(FileError::WritableByOthers {
        path: path.to_path_buf(),
        mode: shown_mode(stat),
    })
}
