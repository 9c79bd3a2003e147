//! The four words of an invitation: our own list, and reading what somebody heard and typed.

use std::{fmt, sync::LazyLock};

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::failure::{Ending, Failure};

/// How many words the list has: ten bits each.
pub const WORDS: usize = 1024;
/// Words of one invitation: the first names it, the others are its secret.
pub const SPOKEN: usize = 4;
/// How like a word of the list a typed one must be to be asked about, of 1.
const LIKE: f64 = 0.75;

/// Short, common and clearly spoken words, ascending, a line each.
static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Four words of the list, by their places in it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words([u16; SPOKEN]);

impl Words {
    /// Four words that nobody can guess, of which the first is none of `taken`; nothing when every
    /// word is taken.
    pub fn draw(rng: &mut impl Rng, taken: &[u16]) -> Option<Self> {
        let free: Vec<_> = (0..).take(WORDS).filter(|n| !taken.contains(n)).collect();
        // 1,024 divides 2^32: every word is as likely as any other.
        let mut place = |of: usize| rng.next_u32() as usize % of.max(1);
        let first = *free.get(place(free.len()))?;
        let mut words = [first; SPOKEN];
        for word in &mut words[1..] {
            *word = u16::try_from(place(WORDS)).unwrap_or(0);
        }
        Some(Self(words))
    }

    /// Four words made of a hash: what two people compare.
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut words = [0; SPOKEN];
        for (word, pair) in words.iter_mut().zip(hash.chunks_exact(2)) {
            let number = u16::from_be_bytes([pair[0], pair[1]]);
            *word = number % 1024;
        }
        Self(words)
    }

    /// Which open invitation is meant.
    pub const fn name(&self) -> u16 {
        self.0[0]
    }

    /// What both sides prove to each other that they know.
    pub fn password(&self) -> Vec<u8> {
        let [_, secret @ ..] = self.0;
        secret.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// Reads four words: case, commas, hyphens and spaces do not matter.
    pub fn read(typed: &[String]) -> Result<Self, Failure> {
        let typed = split(typed);
        let unknown: Vec<_> = typed
            .iter()
            .filter(|word| place_of(word).is_none())
            .collect();
        if typed.len() == SPOKEN && !unknown.is_empty() {
            return Err(not_in_the_list(&unknown));
        }
        let places: Option<Vec<_>> = typed.iter().map(|word| place_of(word)).collect();
        let places = places.and_then(|places| places.try_into().ok());
        places.map(Self).ok_or_else(|| {
            Failure::new(
                Ending::Usage,
                format!("An invitation has four words, and here are {}.", typed.len()),
                "Write them as they were said, such as kith join birch lamp river forty. They still hold: nothing was tried.",
            )
        })
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(|place| LIST.get(usize::from(*place)));
        let words: Vec<_> = words.map(|word| *word.unwrap_or(&"")).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

/// Eight words made of a hash: what two people compare where somebody could try very many texts
/// until one looks like another.
pub fn phrase_of_hash(hash: &[u8; 32]) -> String {
    let [first, second] = [&hash[..16], &hash[16..]].map(|half| {
        let mut of_half = [0; 32];
        of_half[..16].copy_from_slice(half);
        Words::of_hash(&of_half).to_string()
    });
    format!("{first} {second}")
}

/// The single words of what was typed.
pub fn split(typed: &[String]) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '-' | ';' | '.' | '_' | '–');
    let words = typed.iter().flat_map(|text| text.split(between));
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn place_of(word: &str) -> Option<u16> {
    let place = LIST.binary_search(&word).ok()?;
    u16::try_from(place).ok()
}

fn not_in_the_list(unknown: &[&String]) -> Failure {
    let asked: Vec<_> = unknown.iter().map(|word| did_you_mean(word)).collect();
    Failure::new(
        Ending::Usage,
        asked.join(" "),
        "Ask for the words once more. They still hold: nothing was tried.",
    )
}

fn did_you_mean(word: &str) -> String {
    let likeness = |known: &&str| strsim::jaro_winkler(known, word);
    let nearest = LIST.iter().copied().map(|known| (likeness(&known), known));
    let nearest = nearest.max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest.filter(|(like, _)| *like >= LIKE) {
        Some((_, near)) => format!("{word:?} is none of kith's words: did you mean {near}?"),
        None => format!("{word:?} is none of kith's words."),
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::{LIST, WORDS, Words};

    fn read(text: &str) -> Result<String, String> {
        let typed: Vec<_> = text.split(' ').map(str::to_owned).collect();
        let words = Words::read(&typed).map_err(|failure| failure.what)?;
        Ok(words.to_string())
    }

    #[test]
    fn the_list_has_1024_plain_words_no_two_of_which_are_alike() {
        assert_eq!(LIST.len(), WORDS);
        assert!(
            LIST.is_sorted_by(|one, next| one < next),
            "ascending, once each"
        );
        for word in LIST.iter() {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            assert!((3..=9).contains(&word.len()), "{word}");
        }
        for (n, one) in LIST.iter().enumerate() {
            for other in &LIST[n + 1..] {
                let apart = strsim::levenshtein(one, other);
                assert!(apart >= 2, "{one} and {other}");
            }
        }
    }

    #[test]
    fn words_are_read_however_they_are_written() {
        for text in [
            "birch lamp river forty",
            "Birch, LAMP, river,forty.",
            "birch-lamp-river-forty",
            "  birch   lamp  river  forty ",
        ] {
            assert_eq!(
                read(text).as_deref(),
                Ok("birch lamp river forty"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_word_that_is_not_in_the_list_is_asked_about_and_a_wrong_number_said() {
        let asked = read("birch lampp rivver forty").expect_err("two are unknown");
        assert!(asked.contains("did you mean lamp?"), "{asked}");
        assert!(asked.contains("did you mean river?"), "{asked}");
        let nothing_like_it = read("birch lamp river qqqqqq").expect_err("it is unknown");
        assert!(!nothing_like_it.contains("mean"), "{nothing_like_it}");
        assert!(read("birch lamp river").is_err());
        assert!(read("birch lamp river forty birch").is_err());
    }

    #[test]
    fn no_two_open_invitations_begin_with_one_word() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut taken = Vec::new();
        while let Some(words) = Words::draw(&mut rng, &taken) {
            assert!(!taken.contains(&words.name()));
            taken.push(words.name());
        }
        assert_eq!(taken.len(), WORDS);
    }

    #[test]
    fn what_is_printed_for_debugging_says_no_words() {
        let words = Words::of_hash(&[9; 32]);
        assert_eq!(format!("{words:?}"), "Words(..)");
        assert_eq!(words.to_string().split(' ').count(), 4);
    }
}
