//! The socket over which the command line reaches a running node.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use tokio::net::UnixListener;

use crate::{
    failure::{Ending, Failure},
    home::Home,
};

/// Gone from the folder when it is dropped.
pub(super) struct Socket {
    pub listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    pub fn open(home: &Home) -> Result<Self, Failure> {
        let path = home.socket();
        let failed = |error: std::io::Error| {
            Failure::new(
                Ending::Failed,
                format!("The socket {} could not be made.", path.display()),
                "Check that you may write there; a very long folder name is too long for a socket.",
            )
            .because(&error)
        };
        // The store's lock is ours, so whatever stands there was left by a node that is gone.
        if path.exists() {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }
}
