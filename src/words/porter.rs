//! English words without their endings: M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980.
//!
//! It includes the two departures that the author published with his own implementation: "bli" instead of "abli"
//! becomes "ble", and "logi" becomes "log".

/// Appends the stem of a word in lower case. A word with characters other than a to z is its own stem.
pub(super) fn stem(word: &str, to: &mut String) {
    let from = to.len();
    to.push_str(word);
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return;
    }
    let mut word = Word { text: to, from };
    word.step_1();
    word.replace_longest(STEP_2);
    word.replace_longest(STEP_3);
    word.step_4();
    word.step_5();
}

/// An ending, and its replacement.
struct Ending {
    text: &'static str,
    by: &'static str,
    /// Its last two letters. For most words, comparing them is enough to rule the ending out.
    last: [u8; 2],
}

const fn ending(text: &'static str, by: &'static str) -> Ending {
    let letters = text.as_bytes();
    Ending { text, by, last: [letters[letters.len() - 2], letters[letters.len() - 1]] }
}

// The longest first.
const STEP_2: &[Ending] = &[
    ending("ational", "ate"),
    ending("ization", "ize"),
    ending("iveness", "ive"),
    ending("fulness", "ful"),
    ending("ousness", "ous"),
    ending("tional", "tion"),
    ending("biliti", "ble"),
    ending("entli", "ent"),
    ending("ousli", "ous"),
    ending("ation", "ate"),
    ending("alism", "al"),
    ending("aliti", "al"),
    ending("iviti", "ive"),
    ending("enci", "ence"),
    ending("anci", "ance"),
    ending("izer", "ize"),
    ending("alli", "al"),
    ending("ator", "ate"),
    ending("logi", "log"),
    ending("bli", "ble"),
    ending("eli", "e"),
];

const STEP_3: &[Ending] = &[
    ending("icate", "ic"),
    ending("ative", ""),
    ending("alize", "al"),
    ending("iciti", "ic"),
    ending("ical", "ic"),
    ending("ness", ""),
    ending("ful", ""),
];

const STEP_4: &[Ending] = &[
    ending("ement", ""),
    ending("ance", ""),
    ending("ence", ""),
    ending("able", ""),
    ending("ible", ""),
    ending("ment", ""),
    ending("ant", ""),
    ending("ent", ""),
    ending("ion", ""),
    ending("ism", ""),
    ending("ate", ""),
    ending("iti", ""),
    ending("ous", ""),
    ending("ive", ""),
    ending("ize", ""),
    ending("al", ""),
    ending("er", ""),
    ending("ic", ""),
    ending("ou", ""),
];

/// The end of a text, which consists of the letters a to z.
struct Word<'t> {
    text: &'t mut String,
    from: usize,
}

impl Word<'_> {
    #[inline(always)]
    fn letters(&self) -> &[u8] {
        &self.text.as_bytes()[self.from..]
    }

    #[inline(always)]
    fn ends(&self, ending: &str) -> bool {
        self.letters().ends_with(ending.as_bytes())
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(self.from + length);
    }

    fn is_consonant(&self, at: usize) -> bool {
        match self.letters()[at] {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => at == 0 || !self.is_consonant(at - 1),
            _ => true,
        }
    }

    /// How often a vowel is followed by a consonant in the first `length` letters.
    fn measure(&self, length: usize) -> usize {
        (1..length).filter(|at| self.is_consonant(*at) && !self.is_consonant(at - 1)).count()
    }

    fn has_vowel(&self, length: usize) -> bool {
        (0..length).any(|at| !self.is_consonant(at))
    }

    fn ends_double(&self) -> bool {
        let letters = self.letters();
        let length = letters.len();
        length > 1 && letters[length - 1] == letters[length - 2] && self.is_consonant(length - 1)
    }

    /// Whether the first `length` letters end as "hop" does, but not in w, x or y.
    fn ends_short(&self, length: usize) -> bool {
        length > 2
            && self.is_consonant(length - 3)
            && !self.is_consonant(length - 2)
            && self.is_consonant(length - 1)
            && !matches!(self.letters()[length - 1], b'w' | b'x' | b'y')
    }

    /// The length of what precedes an ending.
    fn before(&self, ending: &str) -> usize {
        self.letters().len() - ending.len()
    }

    fn replace(&mut self, ending: &str, by: &str) {
        self.truncate(self.before(ending));
        self.text.push_str(by);
    }

    /// Step 1: removes the endings of plurals and verbs.
    fn step_1(&mut self) {
        if self.ends("sses") || self.ends("ies") {
            self.truncate(self.letters().len() - 2);
        } else if self.ends("s") && !self.ends("ss") {
            self.text.pop();
        }
        if self.ends("eed") {
            if self.measure(self.before("eed")) > 0 {
                self.text.pop();
            }
        } else if let Some(ending) = ["ed", "ing"].into_iter().find(|ending| self.ends(ending))
            && self.has_vowel(self.before(ending))
        {
            self.replace(ending, "");
            if self.ends("at") || self.ends("bl") || self.ends("iz") {
                self.text.push('e');
            } else if self.ends_double() && !matches!(self.letters().last(), Some(b'l' | b's' | b'z')) {
                self.text.pop();
            } else if self.measure(self.letters().len()) == 1 && self.ends_short(self.letters().len()) {
                self.text.push('e');
            }
        }
        if self.ends("y") && self.has_vowel(self.letters().len() - 1) {
            self.replace("y", "i");
        }
    }

    fn longest(&self, endings: &'static [Ending]) -> Option<&'static Ending> {
        let last = self.letters().last_chunk::<2>()?;
        endings.iter().find(|ending| ending.last == *last && self.ends(ending.text))
    }

    /// Replaces the longest ending that fits, if what precedes it has a measure above 0.
    fn replace_longest(&mut self, endings: &'static [Ending]) {
        if let Some(Ending { text, by, .. }) = self.longest(endings)
            && self.measure(self.before(text)) > 0
        {
            self.replace(text, by);
        }
    }

    fn step_4(&mut self) {
        let Some(Ending { text, .. }) = self.longest(STEP_4) else { return };
        let before = self.before(text);
        let fits = *text != "ion" || before > 0 && matches!(self.letters()[before - 1], b's' | b't');
        if fits && self.measure(before) > 1 {
            self.truncate(before);
        }
    }

    /// Step 5: removes an e at the end, and one l of a double l.
    fn step_5(&mut self) {
        if self.ends("e") {
            let before = self.before("e");
            let measure = self.measure(before);
            if measure > 1 || measure == 1 && !self.ends_short(before) {
                self.text.pop();
            }
        }
        if self.ends("ll") && self.measure(self.letters().len()) > 1 {
            self.text.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_lose_their_endings() {
        for (word, expected) in [
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("ties", "ti"),
            ("cats", "cat"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("bled", "bled"),
            ("motoring", "motor"),
            ("sing", "sing"),
            ("conflated", "conflat"),
            ("troubling", "troubl"),
            ("sized", "size"),
            ("hopping", "hop"),
            ("tanned", "tan"),
            ("falling", "fall"),
            ("hissing", "hiss"),
            ("fizzed", "fizz"),
            ("failing", "fail"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("conditional", "condit"),
            ("valenci", "valenc"),
            ("digitizer", "digit"),
            ("radically", "radic"),
            ("vileness", "vile"),
            ("analogously", "analog"),
            ("vietnamization", "vietnam"),
            ("operator", "oper"),
            ("feudalism", "feudal"),
            ("hopefulness", "hope"),
            ("formality", "formal"),
            ("sensibility", "sensibl"),
            ("triplicate", "triplic"),
            ("formative", "form"),
            ("formalize", "formal"),
            ("electrical", "electr"),
            ("goodness", "good"),
            ("revival", "reviv"),
            ("allowance", "allow"),
            ("adjustable", "adjust"),
            ("replacement", "replac"),
            ("adoption", "adopt"),
            ("communism", "commun"),
            ("effective", "effect"),
            ("probate", "probat"),
            ("rate", "rate"),
            ("cease", "ceas"),
            ("controlling", "control"),
            ("roll", "roll"),
            ("by", "by"),
            ("allergies", "allergi"),
            ("2026", "2026"),
            ("né", "né"),
        ] {
            let mut stem = String::new();
            super::stem(word, &mut stem);
            assert_eq!(stem, expected, "{word}");
        }
    }
}
