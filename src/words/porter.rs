//! M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980: English words without their endings.
//!
//! With the two departures that its author published with his own implementation: "abli" is "able" by "bli", and "logi"
//! becomes "log".

/// Appends the stem of a word in lower case. A word with anything but the letters a to z is its own stem.
pub(super) fn stem(word: &str, to: &mut String) {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return to.push_str(word);
    }
    let mut word = Word(word.as_bytes().to_vec());
    word.step_1();
    word.replace_longest(STEP_2, 1);
    word.replace_longest(STEP_3, 1);
    word.step_4();
    word.step_5();
    to.extend(word.0.iter().map(|byte| char::from(*byte)));
}

const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("logi", "log"),
];

const STEP_3: &[(&str, &str)] =
    &[("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

struct Word(Vec<u8>);

impl Word {
    fn ends(&self, ending: &str) -> bool {
        self.0.ends_with(ending.as_bytes())
    }

    fn is_consonant(&self, at: usize) -> bool {
        match self.0[at] {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => at == 0 || !self.is_consonant(at - 1),
            _ => true,
        }
    }

    /// How often a vowel is followed by a consonant in the first so many letters.
    fn measure(&self, length: usize) -> usize {
        (1..length).filter(|at| self.is_consonant(*at) && !self.is_consonant(at - 1)).count()
    }

    fn has_vowel(&self, length: usize) -> bool {
        (0..length).any(|at| !self.is_consonant(at))
    }

    fn ends_double(&self) -> bool {
        let length = self.0.len();
        length > 1 && self.0[length - 1] == self.0[length - 2] && self.is_consonant(length - 1)
    }

    /// Whether the first so many letters end as "hop" does, but not in w, x or y.
    fn ends_short(&self, length: usize) -> bool {
        length > 2
            && self.is_consonant(length - 3)
            && !self.is_consonant(length - 2)
            && self.is_consonant(length - 1)
            && !matches!(self.0[length - 1], b'w' | b'x' | b'y')
    }

    /// What is before an ending.
    fn before(&self, ending: &str) -> usize {
        self.0.len() - ending.len()
    }

    fn replace(&mut self, ending: &str, by: &str) {
        self.0.truncate(self.before(ending));
        self.0.extend_from_slice(by.as_bytes());
    }

    /// Plurals, and what verbs end in.
    fn step_1(&mut self) {
        if self.ends("sses") || self.ends("ies") {
            self.0.truncate(self.0.len() - 2);
        } else if self.ends("s") && !self.ends("ss") {
            self.0.pop();
        }
        if self.ends("eed") {
            if self.measure(self.before("eed")) > 0 {
                self.0.pop();
            }
        } else if let Some(ending) = ["ed", "ing"].into_iter().find(|ending| self.ends(ending))
            && self.has_vowel(self.before(ending))
        {
            self.replace(ending, "");
            if self.ends("at") || self.ends("bl") || self.ends("iz") {
                self.0.push(b'e');
            } else if self.ends_double() && !matches!(self.0.last(), Some(b'l' | b's' | b'z')) {
                self.0.pop();
            } else if self.measure(self.0.len()) == 1 && self.ends_short(self.0.len()) {
                self.0.push(b'e');
            }
        }
        if self.ends("y") && self.has_vowel(self.0.len() - 1) {
            self.replace("y", "i");
        }
    }

    /// Replaces the ending that fits, the longest of them, where what is before it measures so much.
    fn replace_longest(&mut self, endings: &[(&str, &str)], measure: usize) {
        let fitting = endings.iter().filter(|(ending, _)| self.ends(ending));
        if let Some((ending, by)) = fitting.max_by_key(|(ending, _)| ending.len())
            && self.measure(self.before(ending)) >= measure
        {
            self.replace(ending, by);
        }
    }

    fn step_4(&mut self) {
        let fitting = STEP_4.iter().filter(|ending| self.ends(ending));
        let Some(ending) = fitting.max_by_key(|ending| ending.len()) else { return };
        let before = self.before(ending);
        let fits = *ending != "ion" || before > 0 && matches!(self.0[before - 1], b's' | b't');
        if fits && self.measure(before) > 1 {
            self.0.truncate(before);
        }
    }

    /// An e at the end, and a double l.
    fn step_5(&mut self) {
        if self.ends("e") {
            let before = self.0.len() - 1;
            let measure = self.measure(before);
            if measure > 1 || measure == 1 && !self.ends_short(before) {
                self.0.pop();
            }
        }
        if self.ends("ll") && self.measure(self.0.len()) > 1 {
            self.0.pop();
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
