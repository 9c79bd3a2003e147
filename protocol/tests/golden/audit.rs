//! The access log: whatever is done to it is found, and the first link that was touched is named.

use kith_protocol::{
    audit::{
        AppendError, Audience, AuditChain, AuditEntry, AuditError, Audited, How, link_id, verify,
    },
    codec,
    identity::SecretKey,
    limits::{AUDIT_CHECKPOINT_EVERY, DISCLOSURE_LEN_MAX},
};

use crate::story::{Story, TIME_MS};

/// Ten links and the checkpoint that a peer keeps, which vouches for all but the last: links 1 to
/// 4 and 6 to 8 are disclosures, 5 and 9 are checkpoints.
struct Log {
    story: Story,
    links: Vec<Vec<u8>>,
    witnessed: Vec<Vec<u8>>,
}

impl Log {
    fn kept() -> Self {
        let story = Story::tell();
        let (mut chain, first) = AuditChain::begin(story.device.device(), [5; 16], TIME_MS);
        let (mut links, mut witnessed) = (vec![first], vec![]);
        for n in 1..10 {
            if n == 5 || n == 9 {
                let checkpoint = chain.checkpoint(TIME_MS + n, &story.device);
                links.push(checkpoint.link);
                witnessed = vec![checkpoint.signed];
            } else {
                let what = story.disclosure(How::Sync, n);
                links.push(chain.append(TIME_MS + n, what).expect("it is short"));
            }
        }
        Self {
            story,
            links,
            witnessed,
        }
    }

    fn verify(&self, links: &[Vec<u8>]) -> Result<Audited, AuditError> {
        verify(links, &self.witnessed, self.story.device.device())
    }

    fn fault(&self, links: &[Vec<u8>]) -> AuditError {
        self.verify(links).expect_err("it was touched")
    }

    /// The log from `seq` on, written anew with other words by somebody without the key.
    fn rewritten_from(&self, seq: usize) -> Vec<Vec<u8>> {
        let device = self.story.device.device();
        let mut links = self.links[..seq].to_vec();
        let mut chain = if seq == 0 {
            let (chain, first) = AuditChain::begin(device, [6; 16], TIME_MS);
            links.push(first);
            chain
        } else {
            let kept = verify(&links, &[], device);
            kept.expect("a beginning holds together").chain
        };
        while links.len() < self.links.len() {
            let mut what = self.story.disclosure(How::Sync, 1);
            what.to = Audience::Anyone;
            links.push(chain.append(TIME_MS, what).expect("it is short"));
        }
        links
    }
}

#[test]
fn a_log_that_nobody_touched_verifies() {
    let log = Log::kept();
    let audited = log.verify(&log.links).expect("nobody touched it");
    assert_eq!(audited.disclosures, 7);
    assert_eq!(audited.vouched, Some(8));
    assert_eq!(audited.chain.head().seq, 9);
}

#[test]
fn every_flipped_bit_is_found_and_its_link_named() {
    let log = Log::kept();
    let mut links = log.links.clone();
    for n in 0..links.len() - 1 {
        for bit in 0..links[n].len() * 8 {
            links[n][bit / 8] ^= 1 << (bit % 8);
            let error = log.fault(&links);
            links[n][bit / 8] ^= 1 << (bit % 8);
            let seq = n as u64;
            assert!(
                matches!(error, AuditError::Changed { seq: named } if named == seq),
                "bit {bit} of link {n}: {error}"
            );
        }
    }
}

#[test]
fn every_removal_is_found_and_the_first_missing_link_named() {
    let log = Log::kept();
    for first in 0..9_usize {
        for last in first..9 {
            let mut links = log.links.clone();
            links.drain(first..=last);
            let error = log.fault(&links);
            let seq = first as u64;
            assert!(
                matches!(error, AuditError::Missing { seq: named } if named == seq),
                "{first} to {last}: {error}"
            );
        }
    }
}

#[test]
fn every_end_that_is_cut_off_behind_a_checkpoint_is_found() {
    let log = Log::kept();
    for len in 0..9 {
        let error = log.fault(&log.links[..len]);
        let seq = len as u64;
        assert!(matches!(error, AuditError::Missing { seq: named } if named == seq));
    }
}

#[test]
fn every_swap_is_found_and_its_first_place_named() {
    let log = Log::kept();
    for a in 0..10_usize {
        for b in a + 1..10 {
            let mut links = log.links.clone();
            links.swap(a, b);
            let error = log.fault(&links);
            let (seq, at) = (b as u64, a as u64);
            assert!(
                matches!(error, AuditError::Moved { seq: s, at: p } if s == seq && p == at),
                "{a} and {b}: {error}"
            );
        }
    }
}

#[test]
fn every_link_put_in_is_found() {
    let log = Log::kept();
    for n in 0..10_usize {
        for at in 0..=10_usize {
            let mut links = log.links.clone();
            links.insert(at, log.links[n].clone());
            let error = log.fault(&links);
            let seq = n as u64;
            let named = match error {
                AuditError::Twice { seq: named } | AuditError::Moved { seq: named, .. } => {
                    Some(named)
                }
                AuditError::Empty
                | AuditError::Changed { .. }
                | AuditError::OneOfTwo { .. }
                | AuditError::Missing { .. }
                | AuditError::Rewritten { .. }
                | AuditError::Newer { .. }
                | AuditError::OtherDevice
                | AuditError::Witness { .. } => None,
            };
            assert_eq!(named, Some(seq), "link {n} put in at {at}");
        }
    }
}

#[test]
fn a_forged_link_that_hangs_on_the_one_before_is_found_at_the_next() {
    let log = Log::kept();
    for at in 1..9_usize {
        let mut links = log.links.clone();
        let forged = log.rewritten_from(at)[at].clone();
        links.insert(at, forged);
        let error = log.fault(&links);
        let seq = at as u64;
        let is_named = matches!(error, AuditError::Twice { seq: named } if named == seq);
        assert!(is_named, "at {at}: {error}");
    }
}

#[test]
fn a_log_that_was_written_anew_is_found_at_the_next_checkpoint() {
    let log = Log::kept();
    for from in 0..9_usize {
        let error = log.fault(&log.rewritten_from(from));
        let known = (from > 5).then_some(4);
        assert!(
            matches!(error, AuditError::Rewritten { vouched, upto: 8 } if vouched == known),
            "from {from}: {error}"
        );
    }
}

#[test]
fn a_checkpoint_of_another_key_is_no_witness() {
    let log = Log::kept();
    let other = SecretKey::from_seed([77; 32]);
    let (mut chain, _) = AuditChain::begin(other.device(), [5; 16], TIME_MS);
    let signed = chain.checkpoint(TIME_MS, &other).signed;
    let verified = verify(&log.links, &[signed], log.story.device.device());
    assert!(matches!(
        verified,
        Err(AuditError::Witness { index: 0, .. })
    ));
    let verified = verify(&log.links, &[], other.device());
    assert!(matches!(verified, Err(AuditError::OtherDevice)));
}

#[test]
fn checkpoints_come_due_and_a_chain_goes_on_from_what_was_verified() {
    let story = Story::tell();
    let (mut chain, first) = AuditChain::begin(story.device.device(), [5; 16], TIME_MS);
    let mut links = vec![first];
    while !chain.wants_checkpoint() {
        let what = story.disclosure(How::Show, 1);
        links.push(chain.append(TIME_MS, what).expect("it is short"));
    }
    assert_eq!(chain.head().seq, AUDIT_CHECKPOINT_EVERY);
    links.push(chain.checkpoint(TIME_MS, &story.device).link);
    assert!(!chain.wants_checkpoint());
    let audited = verify(&links, &[], story.device.device()).expect("nobody touched it");
    assert_eq!(audited.chain, chain);
    assert_eq!(audited.vouched, Some(AUDIT_CHECKPOINT_EVERY));
}

#[test]
fn a_disclosure_that_has_no_link_leaves_the_chain_where_it_was() {
    let story = Story::tell();
    let (mut chain, _) = AuditChain::begin(story.device.device(), [5; 16], TIME_MS);
    let before = chain.clone();
    let mut large = story.disclosure(How::Sync, 1);
    large.len = DISCLOSURE_LEN_MAX + 1;
    let refused = chain.append(TIME_MS, large);
    assert_eq!(refused, Err(AppendError::Batch(DISCLOSURE_LEN_MAX + 1)));
    let mut long = story.disclosure(How::Bundle, 1);
    long.documents = vec![long.documents[0].clone(); 10_000];
    assert!(matches!(
        chain.append(TIME_MS, long),
        Err(AppendError::Link(_))
    ));
    assert_eq!(chain, before);
}

#[test]
fn which_of_the_last_two_links_was_changed_is_open_without_a_witness() {
    let log = Log::kept();
    let mut links = log.links[..4].to_vec();
    let mut changed: AuditEntry = codec::decode(&links[2]).expect("it is understood");
    changed.time_ms += 1;
    links[2] = codec::encode(&changed);
    let verified = verify(&links, &[], log.story.device.device());
    assert!(matches!(verified, Err(AuditError::OneOfTwo { later: 3 })));
}

#[test]
fn a_link_of_a_newer_version_is_told_from_a_changed_one() {
    let log = Log::kept();
    let entry = |n: usize| codec::decode::<AuditEntry>(&log.links[n]).expect("it is understood");
    let (mut newer, mut next) = (entry(3), entry(4));
    newer.version += 1;
    let newer = codec::encode(&newer);
    next.prev = Some(link_id(&newer));
    let mut links = log.links[..3].to_vec();
    links.extend([newer, codec::encode(&next)]);
    let device = log.story.device.device();
    let verified = verify(&links, &[], device);
    assert!(matches!(verified, Err(AuditError::Newer { seq: 3 })));
}
