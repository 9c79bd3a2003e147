//! Telling the system's service manager how far this node is, where it was started by one that
//! wants to know (`NOTIFY_SOCKET`, systemd's `Type=notify`).

use sd_notify::NotifyState;

/// The node can be reached.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The node has been told to stop and says goodbye.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
