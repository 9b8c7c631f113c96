//! Runs a target: its corpus, then mutated seeds until the time is over.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use synth_memory::{Error, ErrorCode};

use crate::allocations::{most_of, most_of_sqlite};
use crate::mutate::Op;

/// How long one input may take. Nearly all take milliseconds; the rest allows for a busy machine.
const LONGEST: Duration = Duration::from_secs(10);
const MOST_BYTES: usize = 64 << 20;
const MOST_SQLITE_BYTES: usize = 256 << 20;
/// Inputs do not become longer than this: a failure in a long input is found sooner in a short one.
pub(crate) const LONGEST_INPUT: usize = 64 << 10;
/// How many inputs with a new outcome are kept as seeds.
const MOST_SEEDS: usize = 400;

/// A reader of untrusted bytes.
pub(crate) struct Target<'t> {
    /// Its name, which is also that of its test and of the folder of its corpus.
    pub(crate) name: &'static str,
    /// Seeds in addition to the corpus.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Makes one change to an input; parts of the seeds can be inserted.
    pub(crate) mutate: fn(&mut Vec<u8>, &[Vec<u8>], Op),
    /// Reads an input and panics if an invariant is violated. Returns the outcome; empty if it is the rejection in
    /// which most damage ends. An input with a new outcome becomes a seed.
    pub(crate) check: &'t dyn Fn(&[u8]) -> String,
    /// How long seeds are mutated unless `FUZZ_SECONDS` is set, in seconds; 0 for the corpus alone.
    pub(crate) seconds: f64,
}

impl Target<'_> {
    pub(crate) fn run(self) {
        let started = Instant::now();
        let seconds =
            std::env::var("FUZZ_SECONDS").map_or(self.seconds, |seconds| seconds.parse().expect("FUZZ_SECONDS"));
        let watch = Watch::start(self.name);
        let outcomes: RefCell<HashSet<String>> = RefCell::default();
        let executions = RefCell::new(0_u64);
        let execute = |input: &[u8]| -> String {
            *executions.borrow_mut() += 1;
            watch.begin(input);
            let mut outcome = String::new();
            let most = most_of(|| outcome = (self.check)(input));
            watch.end();
            assert!(most <= MOST_BYTES, "it took {most} bytes");
            assert!(most_of_sqlite() <= MOST_SQLITE_BYTES, "SQLite took {} bytes", most_of_sqlite());
            outcome
        };
        let is_new = |outcome: String| !outcome.is_empty() && outcomes.borrow_mut().insert(outcome);

        let mut seeds = self.seeds.clone();
        for (path, bytes) in corpus(self.name) {
            // If a file fails, it is the last one printed.
            println!("{}", path.display());
            seeds.push(bytes);
            is_new(execute(&seeds[seeds.len() - 1]));
        }
        seeds.retain(|seed| !execute(seed).is_empty());
        assert!(!seeds.is_empty(), "{} has no seeds", self.name);

        let first_seeds = seeds.len();
        // In batches with fixed seeds: the same numbers must make the same input while a failure is shrunk.
        let config = Config { cases: 16, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
        let mut first = TestRunner::new(config.clone());
        // Mostly one change: after several, hardly any input passes the first check.
        let changes = prop_oneof![3 => 1..2_usize, 1 => 2..6_usize];
        let ops = (any::<u32>(), changes.prop_flat_map(|count| prop::collection::vec(any::<Op>(), count)));
        while started.elapsed().as_secs_f64() < seconds {
            let input = |(seed, ops): &(u32, Vec<Op>)| {
                // Kept seeds are already mutated, so most inputs start from the original ones.
                let among = if seed % 4 == 0 { seeds.len() } else { first_seeds };
                let mut bytes = seeds[(seed / 4) as usize % among].clone();
                ops.iter().for_each(|op| (self.mutate)(&mut bytes, &seeds, *op));
                bytes.truncate(LONGEST_INPUT);
                bytes
            };
            let new: RefCell<Vec<Vec<u8>>> = RefCell::default();
            // A runner counts its cases over all runs, so each batch has its own runner, with other random numbers.
            let mut runner = TestRunner::new_with_rng(config.clone(), first.new_rng());
            let result = runner.run(&ops, |numbers| {
                let bytes = input(&numbers);
                if is_new(execute(&bytes)) {
                    new.borrow_mut().push(bytes);
                }
                Ok(())
            });
            match result {
                Ok(()) => {}
                Err(TestError::Fail(why, numbers)) => {
                    let path = save(self.name, &input(&numbers));
                    panic!("{}: {why}\nThe input is in {}.", self.name, path.display());
                }
                Err(TestError::Abort(why)) => panic!("{}: {why}", self.name),
            }
            let free = MOST_SEEDS.saturating_sub(seeds.len());
            seeds.extend(new.into_inner().into_iter().take(free));
        }
        let (executions, elapsed) = (executions.into_inner(), started.elapsed().as_secs_f64());
        println!(
            "fuzz {}: {executions} executions in {elapsed:.0} s, {:.0} a second, {} outcomes",
            self.name,
            executions as f64 / elapsed,
            outcomes.borrow().len()
        );
    }
}

/// The outcome of a rejection, for [`Target::check`]: its code must be one of these.
pub(crate) fn refused(error: &Error, codes: &[ErrorCode]) -> String {
    assert!(codes.contains(&error.code()), "{error:?}");
    // Names and numbers of the input would make each rejection a new outcome.
    let words = error.message().split(|letter: char| !letter.is_ascii_lowercase()).filter(|word| word.len() > 2);
    format!("{} {}", error.code(), words.take(8).collect::<Vec<_>>().join(" "))
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn save(name: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("fuzz");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}-{:016x}", hash(input)));
    std::fs::write(&path, input).unwrap();
    path
}

fn hash(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The input that is being read, and since when.
type Running = Mutex<Option<(Instant, Vec<u8>)>>;

/// Ends the process if one input takes too long. A thread cannot be ended from outside.
struct Watch(Arc<Running>);

impl Watch {
    fn start(name: &'static str) -> Self {
        let running = Arc::new(Running::default());
        let watched: Weak<Running> = Arc::downgrade(&running);
        thread::spawn(move || {
            while let Some(running) = watched.upgrade() {
                if let Some((since, input)) = &*running.lock().unwrap()
                    && since.elapsed() > LONGEST
                {
                    // Not with `eprintln`, which the test harness captures.
                    let path = save(name, input);
                    let _ = writeln!(std::io::stderr(), "{name}: took too long. The input is in {}.", path.display());
                    std::process::abort();
                }
                drop(running);
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self(running)
    }

    fn begin(&self, input: &[u8]) {
        *self.0.lock().unwrap() = Some((Instant::now(), input.to_vec()));
    }

    fn end(&self) {
        *self.0.lock().unwrap() = None;
    }
}
