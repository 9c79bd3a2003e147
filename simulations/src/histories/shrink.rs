//! Making a failing history short: steps are left out while the same checker goes on failing.

use super::{
    failure::Invariant,
    play::Played,
    step::{Step, Verb},
};

/// The shortest history that was found in which the same checker fails, with how many were played.
/// What comes after the failure is left out first, then halves, quarters and so on down to single
/// steps, until none can be left out.
pub fn shrink(
    steps: &[Step],
    plays_max: usize,
    play: impl Fn(&[Step]) -> Played,
) -> (Vec<Step>, usize) {
    let mut plays = 0;
    let mut fails = |steps: &[Step]| -> Option<(usize, Invariant)> {
        plays += 1;
        let played = play(steps);
        played.failure.map(|(at, failure)| (at, failure.invariant))
    };
    let Some((at, wanted)) = fails(steps) else {
        return (steps.to_vec(), 1);
    };
    let mut kept = steps[..=at].to_vec();
    // Quiet times take long: where it fails without those before, the rest is quick.
    let is_busy = |(nth, step): &(usize, &Step)| *nth == at || step.verb != Verb::Quiet;
    let busy: Vec<_> = kept
        .iter()
        .enumerate()
        .filter(is_busy)
        .map(|(_, step)| *step)
        .collect();
    if let Some((at, found)) = fails(&busy)
        && found == wanted
    {
        kept = busy[..=at].to_vec();
    }
    let mut len = kept.len().div_ceil(2);
    let mut played = 1;
    loop {
        let mut from = 0;
        let mut shorter = false;
        while from < kept.len() && played < plays_max {
            let upto = (from + len).min(kept.len());
            let tried: Vec<_> = kept[..from].iter().chain(&kept[upto..]).copied().collect();
            played += 1;
            match fails(&tried) {
                Some((at, invariant)) if invariant == wanted => {
                    kept = tried[..=at].to_vec();
                    shorter = true;
                }
                Some(_) | None => from = upto,
            }
        }
        if played >= plays_max || (len == 1 && !shorter) {
            return (kept, plays);
        }
        if !shorter || len > 1 {
            len = len.div_ceil(2).max(1);
        }
    }
}
