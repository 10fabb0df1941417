//! The embedded dictionary (IPADIC): words with their costs and tags, read in place.
//!
//! The file begins with the line `evalrun dictionary 1`, then ten section lengths (`u32`), then the sections, all
//! little-endian: a double-array trie over UTF-8 surfaces (value: first entry × 64 + number of entries); of each entry
//! context id (`u16`), cost (`i16`), tag (`u16`), place of its base form in the pool (`u32`, 0: as the surface); the
//! pool; matrix size and costs (`i16`, a row a right-hand word); tag lines; categories of characters; their rules.

use std::ops::Range;
use std::sync::OnceLock;

use yada::DoubleArray;

use super::tag::Tag;

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/ipadic.dic"));
const MAGIC: &[u8] = b"evalrun dictionary 1\n";

/// The dictionary's sections.
pub(super) struct Dictionary {
    trie: DoubleArray<&'static [u8]>,
    contexts: &'static [u8],
    costs: &'static [u8],
    tags: &'static [u8],
    bases: &'static [u8],
    pool: &'static [u8],
    matrix_size: usize,
    matrix: &'static [u8],
    tag_table: Vec<Tag>,
    chars: &'static [u8],
    categories: Vec<Category>,
}

/// How unknown words are made of the characters of a category.
#[derive(Debug, Clone)]
pub(super) struct Category {
    /// Unknown words are tried even where the dictionary has words.
    pub(super) invoke: bool,
    /// All neighbours of the same category together are a word.
    pub(super) group: bool,
    /// Words of one up to this many characters are tried.
    pub(super) length: usize,
    /// The entries that serve as templates.
    pub(super) templates: Range<u32>,
}

/// The place of an entry's numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryIndex(pub(super) u32);

impl Dictionary {
    /// The one dictionary; the first call reads its section table and checks its trie.
    pub(super) fn get() -> &'static Self {
        static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
        DICTIONARY.get_or_init(Self::read)
    }

    fn read() -> Self {
        let rest = BYTES.strip_prefix(MAGIC).expect("build.rs unpacked a dictionary");
        let (table, mut rest) = rest.split_at(40);
        let mut sections = table.chunks_exact(4).map(|length| {
            let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
            let (section, tail) = rest.split_at(length);
            rest = tail;
            section
        });
        let mut section = || sections.next().expect("ten sections");
        let trie = DoubleArray::new(section()).expect("the compiler wrote a valid trie");
        let (contexts, costs, tags, bases, pool) = (section(), section(), section(), section(), section());
        let (matrix_size, matrix) = section().split_at(2);
        let tag_text = std::str::from_utf8(section()).expect("tags are UTF-8");
        let chars = section();
        let (lexicon_size, rules) = section().split_at(4);
        let mut next = u32::from_le_bytes(lexicon_size.try_into().expect("four bytes"));
        let categories = rules.chunks_exact(4).map(|rule| {
            let templates = next..next + u32::from(rule[3]);
            next = templates.end;
            Category { invoke: rule[0] == 1, group: rule[1] == 1, length: rule[2].into(), templates }
        });
        Self {
            trie,
            contexts,
            costs,
            tags,
            bases,
            pool,
            matrix_size: u16::from_le_bytes([matrix_size[0], matrix_size[1]]).into(),
            matrix,
            tag_table: tag_text.lines().map(Tag::parse).collect(),
            chars,
            categories: categories.collect(),
        }
    }

    /// The words that `text` begins with: their entries and their length in bytes.
    pub(super) fn words_at<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (Range<u32>, usize)> + 't {
        let entries = |value: u32| value >> 6..(value >> 6) + (value & 63);
        self.trie.common_prefix_search(text).map(move |(value, length)| (entries(value), length))
    }

    /// The entry's context id.
    pub(super) fn context(&self, EntryIndex(n): EntryIndex) -> u16 {
        u16_at(self.contexts, n as usize)
    }

    /// The entry's cost.
    pub(super) fn cost(&self, EntryIndex(n): EntryIndex) -> i32 {
        i16_at(self.costs, n as usize).into()
    }

    /// The entry's tag.
    pub(super) fn tag(&self, EntryIndex(n): EntryIndex) -> Tag {
        self.tag_table[usize::from(u16_at(self.tags, n as usize))]
    }

    /// The entry's base form, if it is not its surface.
    pub(super) fn base(&self, EntryIndex(n): EntryIndex) -> Option<&'static str> {
        let at = n as usize * 4;
        let place = u32::from_le_bytes(self.bases[at..at + 4].try_into().expect("four bytes")) as usize;
        let text = (place != 0).then(|| &self.pool[place + 1..=place + usize::from(self.pool[place])])?;
        std::str::from_utf8(text).ok()
    }

    /// The costs of joining each left-hand context to the word with context `right`.
    pub(super) fn connections(&self, right: u16) -> Connections {
        let row = usize::from(right) * self.matrix_size * 2;
        Connections(&self.matrix[row..row + self.matrix_size * 2])
    }

    /// The character's category and the mask of all categories that it belongs to.
    pub(super) fn category(&self, c: char) -> (&Category, u16) {
        // What lies beyond the basic plane has the default category, the first.
        let at = usize::try_from(u32::from(c)).unwrap_or(0) * 3;
        match self.chars.get(at..at + 3) {
            Some(entry) => (&self.categories[usize::from(entry[0])], u16::from_le_bytes([entry[1], entry[2]])),
            None => (&self.categories[0], 1),
        }
    }
}

/// One row of the connection matrix.
#[derive(Clone, Copy)]
pub(super) struct Connections(&'static [u8]);

impl Connections {
    /// The cost of joining the word with context `left`.
    pub(super) fn after(self, left: u16) -> i32 {
        i16_at(self.0, usize::from(left)).into()
    }
}

fn u16_at(bytes: &[u8], n: usize) -> u16 {
    u16::from_le_bytes([bytes[n * 2], bytes[n * 2 + 1]])
}

fn i16_at(bytes: &[u8], n: usize) -> i16 {
    i16::from_le_bytes([bytes[n * 2], bytes[n * 2 + 1]])
}
