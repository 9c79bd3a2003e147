//! Filing what is on the disk, one message after another.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{driver::Driver, failure::Ending, node::now_ms};

/// After a failure of the store.
const REST: Duration = Duration::from_secs(5);

/// Files whatever waits for nobody: at the start, whenever something came, and again what could not
/// be written.
pub(super) async fn keep_filing(driver: Driver, to_file: Arc<Notify>) {
    loop {
        let filed = driver
            .ask(|node| Ok((node.file_next()?, node.files_again_ms())))
            .await;
        match filed {
            Ok((true, _)) => {}
            Ok((false, again)) => {
                let wait = again
                    .map(|again| Duration::from_millis(again.saturating_sub(now_ms()).max(50)));
                match wait {
                    Some(wait) => {
                        tokio::select! {
                            () = to_file.notified() => {}
                            () = tokio::time::sleep(wait) => {}
                        }
                    }
                    None => to_file.notified().await,
                }
            }
            Err(failure) if failure.ending == Ending::NotRunning => return,
            Err(failure) => {
                tracing::warn!(ending = ?failure.ending, "a message was not filed");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
