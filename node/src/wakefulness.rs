//! Noticing that the machine slept or has another network: whoever was not reached may be now, and
//! what was connected may be gone without having said so.

use std::time::{Duration, Instant, SystemTime};

use kith_protocol::{limits::SLEPT_MS, sync::Input};
use tokio::sync::watch;

use crate::{driver::Driver, network::Network};

/// How often the clocks are compared.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Two readings, of the clock of the world and of the machine's own, which stands still in sleep.
#[derive(Clone, Copy)]
struct Clocks {
    world: SystemTime,
    own: Instant,
}

impl Clocks {
    fn now() -> Self {
        Self {
            world: SystemTime::now(),
            own: Instant::now(),
        }
    }

    /// Whether the machine slept between two readings; also when the clock was set far ahead,
    /// which does no harm.
    fn slept_until(self, later: Self) -> bool {
        let own = later.own.saturating_duration_since(self.own);
        // A clock that was set back tells nothing.
        let world = later.world.duration_since(self.world).unwrap_or_default();
        world.saturating_sub(own) > Duration::from_millis(SLEPT_MS)
    }
}

/// Tells the engine and the network, until the node stops. `told` changes with the addresses of
/// this machine.
pub async fn keep(driver: Driver, network: Network, mut told: watch::Receiver<Vec<String>>) {
    let mut before = Clocks::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(BETWEEN_LOOKS) => {
                let now = Clocks::now();
                let slept = before.slept_until(now);
                before = now;
                if !slept {
                    continue;
                }
                tracing::info!("this machine slept; everyone is called again");
                if network.hang_up().await.is_err() {
                    return;
                }
            }
            changed = told.changed() => {
                if changed.is_err() {
                    return;
                }
                tracing::info!("the addresses of this machine changed; everyone is called again");
            }
        }
        if driver.tell(Input::Awake).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clocks, Duration};

    #[test]
    fn sleep_is_when_the_world_went_on_and_the_machine_did_not() {
        let before = Clocks::now();
        let after = |world_s, own_s| Clocks {
            world: before.world + Duration::from_secs(world_s),
            own: before.own + Duration::from_secs(own_s),
        };
        assert!(!before.slept_until(after(5, 5)));
        assert!(!before.slept_until(after(600, 600)), "it was busy");
        assert!(!before.slept_until(after(8, 5)), "the clock was set");
        assert!(before.slept_until(after(3600, 5)));
        assert!(!after(3600, 0).slept_until(after(0, 5)), "it was set back");
    }
}
