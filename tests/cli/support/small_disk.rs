//! A disk that a test can fill.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of its own at this folder, until this is dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` for those who may not mount one; the limit of files is tested for everybody.
    pub fn of_kib(folder: &Path, size_kib: usize) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size_kib}k,mode=0700"), "tmpfs"])
            .arg(folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| SmallDisk(folder.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Fills it but for so many bytes.
    pub fn fill_but(&self, bytes: usize) {
        let mut filler = std::fs::File::create(self.filler()).expect("a file");
        let mut length = 0;
        while std::io::Write::write_all(&mut filler, &[0; 1024]).is_ok() {
            length += 1024;
        }
        filler
            .set_len(length - u64::try_from(bytes).expect("a length"))
            .expect("giving some back");
    }

    /// Whether it can no longer be written.
    pub fn make_read_only(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", "remount,ro"]).arg(&self.0);
        mount.status().is_ok_and(|status| status.success())
    }

    /// Makes room again.
    pub fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("making room");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
