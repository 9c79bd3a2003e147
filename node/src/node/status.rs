//! How this node is: healthy, or a list of problems each with what mends it.

use kith_protocol::{id::RecordId, store::Store};

use super::Node;
use crate::{
    api::{OpenedLine, Problem, ReviewKind, Status},
    failure::Failure,
};

/// Below this, in bytes, a disk counts as full. A commit of a page of text takes a few KB, twice,
/// in the log and in the index.
const LEFT_AT_LEAST: u64 = 64 * 1024;

impl Node {
    pub(super) fn status(&mut self) -> Result<Status, Failure> {
        let mut problems: Vec<_> = self
            .store
            .damage()
            .into_iter()
            .map(|damage| Problem {
                what: format!("{} is damaged: {}.", damage.place, damage.what),
                remedy: "The rest of the node works. Run kith verify RECORD for each record to see what is affected, and import or sync that again.".to_owned(),
            })
            .collect();
        problems.extend(self.full_disk());
        problems.extend(self.restored()?);
        problems.extend(self.regained()?);
        problems.extend(self.inbox_problems());
        let records: Vec<RecordId> = self.people.iter().map(|(id, _)| *id).collect();
        let (waiting, unreadable) = self.look_through(&records, &mut problems);
        let invitations = self.invitations_to_review(None)?;
        let to_review = waiting + invitations.len();
        for item in invitations {
            if item.kind == ReviewKind::WrongWords {
                problems.push(Problem {
                    what: item.what,
                    remedy: item.remedy,
                });
            }
        }
        let (late, others, late_count) = self.late();
        problems.splice(0..0, late);
        let mut notices = self.waiting_for()?;
        notices.extend(others);
        let connections = self.connections()?;
        Ok(Status {
            name: self.identity.name.clone(),
            kind: self.identity.role,
            node: self.device().to_string(),
            home: self.home.folder().to_owned(),
            records: records.len(),
            addresses: self.addresses.clone(),
            problems,
            to_review,
            unreadable,
            connections,
            notices,
            late: late_count,
        })
    }

    /// Whether there is hardly room for one more commit. A file system that does not say is taken
    /// to have room: a write that fails says so itself.
    fn full_disk(&self) -> Option<Problem> {
        let disk = rustix::fs::statvfs(self.home.folder()).ok()?;
        let left = disk.f_bavail.saturating_mul(disk.f_frsize);
        (left < LEFT_AT_LEAST).then(|| Problem {
            what: format!(
                "The disk is full: {} KB are left. This node takes nothing in, from you or from others.",
                left / 1024
            ),
            remedy: "What was stored before is safe. Make room on the disk: what others have for this node comes then by itself.".to_owned(),
        })
    }

    /// How many things wait for a decision in these records, and how many entries this build could
    /// not read. A record that cannot be loaded is a problem, and waits for somebody too.
    fn look_through(
        &mut self,
        records: &[RecordId],
        problems: &mut Vec<Problem>,
    ) -> (usize, usize) {
        let (mut waiting, mut unreadable) = (0, 0);
        for id in records {
            match self.attention(*id) {
                Ok(found) => {
                    waiting += found.items.len();
                    unreadable += found.unreadable;
                    problems.extend(found.opened.iter().map(told_of_emergency));
                }
                Err(failure) => {
                    waiting += 1;
                    problems.push(Problem {
                        what: format!(
                            "Record {} cannot be shown: {}",
                            &id.to_string()[..12],
                            failure.why.join("; ")
                        ),
                        remedy: failure.remedy,
                    });
                }
            }
        }
        if unreadable > 0 {
            problems.push(Problem {
                what: format!("{unreadable} entries are kept but could not be read. This is a fault of kith, not of whoever wrote them."),
                remedy: "Keep them and install a newer version: they are read again at its first start.".to_owned(),
            });
        }
        (waiting, unreadable)
    }
}

/// Loud, until a person has seen it.
fn told_of_emergency(opened: &OpenedLine) -> Problem {
    let record = &opened.record[..12];
    Problem {
        what: format!(
            "{} opened record {record} in an emergency: {}. From {} until {} ({}).",
            opened.by, opened.reason, opened.from, opened.until, opened.state
        ),
        remedy: format!(
            "Run kith review {record} seen {} when somebody has looked at it.",
            &opened.id[..12]
        ),
    }
}
