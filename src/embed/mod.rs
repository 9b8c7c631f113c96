//! The bundled embedder: it turns a text into a vector. The vectors of texts with similar meanings point in similar
//! directions.
//!
//! It is a table with one vector per token of all-MiniLM-L6-v2's vocabulary, made from that model. `models/README.md`
//! describes how, and the file. Embedding a text therefore takes only a lookup and a mean.
//!
//! ```
//! use synth_memory::embed::StaticModel;
//!
//! let file = concat!(env!("CARGO_MANIFEST_DIR"), "/models/all-minilm-l6-v2-256.bin");
//! let model = StaticModel::from_bytes(&std::fs::read(file)?)?;
//!
//! let [asked, near, far] = ["food that I must avoid", "She cannot eat peanuts", "The train leaves at nine"]
//!     .map(|text| model.embed(text).unwrap());
//! let alike = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
//! assert!(alike(&asked, &near) > alike(&asked, &far));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod static_model;

mod file;

mod vocabulary;

mod wordpiece;

mod unigram;

mod characters;

mod rows;

pub use static_model::StaticModel;
