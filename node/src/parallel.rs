//! Work for all processors of this machine.

use std::{num::NonZero, thread};

/// More threads are not begun: what is worked on in this way is over in milliseconds.
const THREADS_MAX: usize = 8;

/// How many pieces of work go on at once.
pub(crate) fn width() -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    processors.min(THREADS_MAX)
}

/// The same work on each piece, all at once; the results in the order of the pieces.
///
/// # Panics
/// When the work does.
pub(crate) fn each<T: Send, R: Send>(pieces: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut pieces = pieces.into_iter();
    let Some(first) = pieces.next() else {
        return Vec::new();
    };
    let mut results: Vec<_> = pieces.by_ref().map(|piece| (Some(piece), None)).collect();
    let first = thread::scope(|scope| {
        for (piece, result) in &mut results {
            let work = &work;
            scope.spawn(move || *result = piece.take().map(work));
        }
        work(first)
    });
    let others = results.into_iter().filter_map(|(_, result)| result);
    std::iter::once(first).chain(others).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        for n in 0..20_u64 {
            let doubled: Vec<_> = (0..n).map(|n| n * 2).collect();
            assert_eq!(super::each((0..n).collect(), |n| n * 2), doubled);
        }
    }
}
