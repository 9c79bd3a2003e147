//! Saying of a stop that waits that it does not hold.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Label;
use kith_protocol::{
    consent::{Ended, Voiding, cut::CutTree},
    id::{EventId, PrincipalId, RecordId},
    logs::{
        Act, Event, LabelAct, LogId, PrincipalAct,
        record::{Link, Revoke},
    },
    record::Record,
    signed::Signed,
    store::Store,
};

use super::stopping::{no_stop, waiting_stop};
use crate::{
    api::{Decided, Keep},
    failure::{Ending, Failure},
    node::{Node, leaver::Leaver, now_ms},
};

impl Node {
    /// Says that a stop which waits does not hold: in place of what stopped whoever signed it, and
    /// with the same of their doing kept.
    pub(in crate::node) fn void(&mut self, id: RecordId, word: &str) -> Result<Decided, Failure> {
        let own = self.identity.principal;
        let found = self.with_record(id, |_, record| {
            let stop = waiting_stop(record, word).ok_or_else(|| no_stop(word))?;
            Ok((stop, record.ledger().voiding(stop, own)))
        });
        let (stop, voiding) = found?;
        match voiding {
            Some(Voiding::Stop { label, revoke, cut }) => self.with_record(id, |node, record| {
                node.void_from_above(record, (stop, word), &label, (revoke, &cut))
            }),
            Some(Voiding::End {
                principal,
                ended,
                stops,
            }) if principal == own => self.void_by_ending((id, word), ended, &stops),
            Some(Voiding::End { principal, .. }) => Err(self.not_ours(principal)),
            Some(Voiding::Recovery { stops }) => {
                self.with_record(id, |node, record| node.void_by_recovering(record, stops))
            }
            None => Err(no_stop(word)),
        }
    }

    /// In a label's log, by whoever stands above whoever signed the stop.
    fn void_from_above(
        &mut self,
        record: &mut Record,
        (stop, word): (EventId, &str),
        label: &Label,
        (revoke, cut): (Revoke, &CutTree),
    ) -> Result<Decided, Failure> {
        let grant = match revoke.link {
            Link::Grant(grant) => Some(grant),
            // Whoever signed it with that device acted under this.
            Link::Device(_) | Link::Staff(_) | Link::Root => {
                self.event_here(stop).and_then(|stop| stop.grant)
            }
        };
        let grants = record.ledger().grants();
        let grant = grants.iter().find(|known| Some(known.id) == grant);
        let grant = grant.ok_or_else(|| no_stop(word))?;
        let under = self.above_it(record, grant)?;
        let count = revoke.void.len();
        let act = Act::Label(LabelAct::Revoke(revoke));
        let (event, item) = self.act_under(record, Some(label), under, act, now_ms())?;
        let mut items = vec![item];
        items.extend(Self::with_parts(record, event, cut));
        if waiting_stop(record, word).is_some() {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Somebody who stands above you stopped whoever signed it, so your word does not decide.",
                "Ask whoever controls the record: kith record control RECORD says who. Nothing was changed.",
            ));
        }
        self.commit(items)?;
        Ok(voided(event.to_string(), count))
    }

    /// By ending the device or member of staff of this node's owner once more, with what counts
    /// now kept.
    fn void_by_ending(
        &mut self,
        (id, word): (RecordId, &str),
        ended: Ended,
        stops: &[EventId],
    ) -> Result<Decided, Failure> {
        if !self.has_root_key()? {
            return Err(Failure::new(
                Ending::NotAllowed,
                "It was signed with a device or as a member of staff of yours that was ended, and this device does not have the key that is above all of them.",
                "Say it on the device on which you began. Nothing was changed.",
            ));
        }
        if let Ended::Device(ended) = ended
            && let Some(open) = self.stopped_and_open(ended)?
        {
            return Err(Failure::new(
                Ending::Usage,
                "Nobody has said yet what stays of what that device did.",
                format!("Say that first: kith devices retire {open}. Nothing was changed."),
            ));
        }
        let (mut last, mut void) = (None, BTreeSet::new());
        for event in &*self.principal_log()? {
            match &event.value().act {
                Act::Principal(PrincipalAct::DeviceRetire {
                    device,
                    last: stood,
                    void: named,
                    ..
                }) if ended == Ended::Device(*device) => {
                    last = *stood;
                    void.extend(named);
                }
                Act::Principal(PrincipalAct::StaffEnd {
                    staff, void: named, ..
                }) if ended == Ended::Staff(*staff) => void.extend(named),
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => {}
            }
        }
        let count = stops.len();
        void.extend(stops);
        let void: Vec<EventId> = void.into_iter().collect();
        let (link, devices) = match ended {
            Ended::Device(device) => (Link::Device(device), BTreeSet::from([device])),
            Ended::Staff(staff) => (Link::Staff(staff), self.devices_of_staff(staff)?),
        };
        let leaver = Leaver {
            link,
            devices,
            keep: Keep::All,
            awaited: stops.to_vec(),
        };
        let end = |cut| match ended {
            Ended::Staff(staff) => PrincipalAct::StaffEnd { staff, cut, void },
            Ended::Device(device) => PrincipalAct::DeviceRetire {
                device,
                last,
                cut,
                void,
            },
        };
        let (event, _) = self.leave(&leaver, None, end)?;
        let waits = self.with_record(id, |node, record| {
            node.says_in_labels(record, link, stops)?;
            Ok(waiting_stop(record, word).is_some())
        })?;
        let mut said = voided(event.to_string(), count);
        if waits {
            said.what = "Your device or member of staff no longer speaks for it; it still waits because of something else: kith review says what.".to_owned();
        }
        Ok(said)
    }

    /// Says it in the logs of the labels too: whoever writes in a label cites that, and would not
    /// cite the log of somebody else's devices.
    fn says_in_labels(
        &mut self,
        record: &mut Record,
        link: Link,
        stops: &[EventId],
    ) -> Result<(), Failure> {
        let mut labels: BTreeMap<_, Vec<EventId>> = BTreeMap::new();
        for stop in stops {
            if let Some(event) = self.event_here(*stop)
                && let LogId::Label(_, label) = event.log
            {
                labels.entry((label, event.grant)).or_default().push(*stop);
            }
        }
        let mut items = Vec::new();
        for ((label, under), void) in labels {
            let cut = CutTree::new(record.ledger().keep_instead(link, u64::MAX, stops));
            let act = Act::Label(LabelAct::Revoke(Revoke {
                link,
                cut: cut.cut(),
                keep: Vec::new(),
                void,
                is_final: false,
            }));
            match self.act_under(record, Some(&label), under, act, now_ms()) {
                Ok((event, item)) => {
                    items.push(item);
                    items.extend(Self::with_parts(record, event, &cut));
                }
                // Whoever holds no share any more has said it where it counts.
                Err(failure) => tracing::debug!(what = failure.what, "a label is not told"),
            }
        }
        self.commit(items)
    }

    /// Those who may recover the record say it, in the act by which they recovered it once more.
    fn void_by_recovering(
        &mut self,
        record: &mut Record,
        stops: Vec<EventId>,
    ) -> Result<Decided, Failure> {
        let own = self.identity.principal;
        if record.ledger().controllers() != [own] {
            return Err(Failure::new(
                Ending::NotAllowed,
                "It waits because the record was recovered: only those who may recover it can say that it does not hold, and they are asked by whoever alone controls it.",
                "Ask whoever controls it: kith record control RECORD says who. If it holds, confirm it: kith review RECORD confirm. Nothing was changed.",
            ));
        }
        let parts = record.ledger().keep_instead(Link::Root, u64::MAX, &stops);
        let count = stops.len();
        let asked = self.recovering(record, own, parts, stops)?;
        if let Some(event) = asked.event {
            return Ok(voided(event, count));
        }
        let id = &record.id().to_string()[..12];
        Ok(Decided {
            entry: String::new(),
            what: format!(
                "Those who may recover this record have to agree that it does not hold: kith recover show {id} prints what to send them."
            ),
        })
    }

    fn not_ours(&self, principal: PrincipalId) -> Failure {
        let who = self.name_of(principal);
        Failure::new(
            Ending::NotAllowed,
            format!(
                "{who} signed it with a device or as a member of staff that {who} ended since, and nobody else stands above that."
            ),
            format!(
                "Ask {who} to say that it does not hold, or confirm it if it does: kith review RECORD confirm. Until somebody decides it does not hold. Nothing was changed."
            ),
        )
    }

    /// An event of this node's store.
    pub(super) fn event_here(&self, event: EventId) -> Option<Event> {
        let bytes = self.store.event(&event).ok().flatten()?;
        let signed = Signed::<Event>::new(bytes).trust_own_store().ok()?;
        Some(signed.into_value())
    }
}

fn voided(entry: String, count: usize) -> Decided {
    let what = match count {
        1 => "The stop does not hold: what it was about goes on.".to_owned(),
        n => format!(
            "This stop and {} more that waited for the same do not hold: what they were about goes on. Stop again what is to end.",
            n - 1
        ),
    };
    Decided { entry, what }
}

#[cfg(test)]
mod tests;
