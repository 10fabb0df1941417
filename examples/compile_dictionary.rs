//! Compiles a `MeCab` dictionary's sources (IPADIC's CSV files, `matrix.def`, `char.def`, `unk.def`, all in EUC-JP) into
//! the one file that evalrun embeds. Run by maintainers only; `assets/README.md` has the commands.
//!
//! The result depends on the sources alone, byte for byte. Its layout is described in `src/text/dictionary.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One dictionary entry or unknown-word template.
struct Word {
    surface: String,
    context: u16,
    cost: i16,
    tag: String,
    base: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sources, words, output] = arguments.as_slice() else {
        panic!("usage: compile_dictionary IPADIC_DIR ADDITIONAL_WORDS.csv OUTPUT");
    };
    let sources = Path::new(sources);
    let mut lexicon = read_lexicon(sources);
    lexicon.extend(parse_words(&fs::read_to_string(words).expect("the additional words")));
    let unknown = read_unknown(&euc_jp(&sources.join("unk.def")));
    let (categories, chars) = read_chars(&euc_jp(&sources.join("char.def")));
    let (matrix_size, matrix) = read_matrix(&euc_jp(&sources.join("matrix.def")));
    fs::write(output, compile(lexicon, &unknown, &categories, &chars, matrix_size, &matrix)).expect("the output");
}

fn euc_jp(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    encoding_rs::EUC_JP.decode(&bytes).0.into_owned()
}

fn read_lexicon(sources: &Path) -> Vec<Word> {
    let mut files: Vec<_> = fs::read_dir(sources).expect("the folder").map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    files.sort();
    files.iter().flat_map(|path| parse_words(&euc_jp(path))).collect()
}

/// `surface,left,right,cost,pos1,pos2,pos3,pos4,ctype,cform,base,…`; in IPADIC left and right contexts are the same.
fn parse_words(text: &str) -> Vec<Word> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let word = |row: csv::StringRecord| {
        assert_eq!(row[1], row[2], "left and right context of {}", &row[0]);
        Word {
            surface: row[0].to_owned(),
            context: row[1].parse().unwrap(),
            cost: row[3].parse().unwrap(),
            tag: row.iter().skip(4).take(6).collect::<Vec<_>>().join(","),
            base: row.get(10).filter(|base| *base != "*").unwrap_or(&row[0]).to_owned(),
        }
    };
    rows.records().map(|row| word(row.unwrap())).collect()
}

/// Stock IPADIC tags unknown ASCII marks as verbal nouns; here they are symbols.
fn read_unknown(text: &str) -> Vec<Word> {
    let fix = |word: Word| match word.surface.as_str() {
        "SYMBOL" => Word { context: 5, cost: 4769, tag: "記号,一般,*,*,*,*".to_owned(), ..word },
        _ => word,
    };
    parse_words(text).into_iter().map(fix).collect()
}

/// A category of characters and how its unknown words are made.
struct Category {
    name: String,
    invoke: bool,
    group: bool,
    length: u8,
}

/// The categories, and for each character of the basic plane its own category and the mask of all it belongs to.
fn read_chars(text: &str) -> (Vec<Category>, Vec<(u8, u16)>) {
    let lines = || text.lines().map(|line| line.split('#').next().unwrap().split_whitespace().collect::<Vec<_>>());
    // Each unknown mark is a word of its own: stock IPADIC would glue a bracket to its neighbours.
    let definition = |fields: Vec<&str>| Category {
        name: fields[0].to_owned(),
        invoke: fields[1] == "1",
        group: fields[2] == "1" && fields[0] != "SYMBOL",
        length: fields[3].parse().unwrap(),
    };
    let is_range = |fields: &Vec<&str>| fields.first().is_some_and(|first| first.starts_with("0x"));
    let categories: Vec<Category> = lines().filter(|f| !f.is_empty() && !is_range(f)).map(definition).collect();
    let index = |name: &str| categories.iter().position(|category| category.name == name).unwrap();
    let mut chars = vec![(u8::try_from(index("DEFAULT")).unwrap(), 1 << index("DEFAULT")); 0x1_0000];
    for fields in lines().filter(is_range) {
        let code = |text: &str| usize::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
        let (first, last) = fields[0].split_once("..").unwrap_or((fields[0], fields[0]));
        let mask = fields[1..].iter().fold(0, |mask, name| mask | 1 << index(name));
        chars[code(first)..=code(last)].fill((u8::try_from(index(fields[1])).unwrap(), mask));
    }
    (categories, chars)
}

fn read_matrix(text: &str) -> (u16, Vec<i16>) {
    let mut lines = text.lines();
    let numbers = |line: &str| line.split_whitespace().map(|n| n.parse::<i32>().unwrap()).collect::<Vec<_>>();
    let size = numbers(lines.next().unwrap())[0];
    let mut matrix = vec![0; usize::try_from(size * size).unwrap()];
    for line in lines {
        let [left, right, cost] = numbers(line)[..] else { panic!("{line}") };
        // Rows by the right word's left context: the lattice looks up many left neighbours of one word.
        matrix[usize::try_from(right * size + left).unwrap()] = i16::try_from(cost).unwrap();
    }
    (u16::try_from(size).unwrap(), matrix)
}

fn compile(
    mut lexicon: Vec<Word>,
    unknown: &[Word],
    categories: &[Category],
    chars: &[(u8, u16)],
    matrix_size: u16,
    matrix: &[i16],
) -> Vec<u8> {
    // A stable sort keeps the sources' order among the entries of one surface.
    lexicon.sort_by(|a, b| a.surface.as_bytes().cmp(b.surface.as_bytes()));
    let mut unknown_in_order: Vec<&Word> = Vec::new();
    let mut unknown_counts = Vec::new();
    for category in categories {
        let of_category = unknown.iter().filter(|word| word.surface == category.name);
        unknown_in_order.extend(of_category.clone());
        unknown_counts.push(u8::try_from(of_category.count()).unwrap());
    }
    let words = || lexicon.iter().chain(unknown_in_order.iter().copied());

    let mut tags: Vec<&str> = words().map(|word| word.tag.as_str()).collect();
    tags.sort_unstable();
    tags.dedup();
    let tag_index: BTreeMap<&str, u16> = (0..).zip(&tags).map(|(n, tag)| (*tag, n)).collect();

    // Base forms that differ from their surface, each once; place 0 means «as the surface».
    let mut pool = vec![0_u8];
    let mut base_places: BTreeMap<&str, u32> = BTreeMap::new();
    let mut bases = Vec::new();
    for word in words() {
        let place = if word.base == word.surface || word.base.is_empty() {
            0
        } else {
            *base_places.entry(&word.base).or_insert_with(|| {
                let place = u32::try_from(pool.len()).unwrap();
                pool.push(u8::try_from(word.base.len()).unwrap());
                pool.extend_from_slice(word.base.as_bytes());
                place
            })
        };
        bases.extend_from_slice(&place.to_le_bytes());
    }

    let mut keys: Vec<(&str, u32)> = Vec::new();
    for (n, word) in lexicon.iter().enumerate() {
        match keys.last_mut() {
            Some((surface, value)) if *surface == word.surface => *value += 1,
            _ => keys.push((&word.surface, u32::try_from(n << 6).unwrap() + 1)),
        }
        assert!(keys.last().unwrap().1 & 63 != 0, "more than 63 entries for {}", word.surface);
    }
    let trie = yada::builder::DoubleArrayBuilder::build(&keys).expect("sorted, unique keys");

    let category_bytes = categories
        .iter()
        .zip(&unknown_counts)
        .flat_map(|(category, count)| [u8::from(category.invoke), u8::from(category.group), category.length, *count]);
    let sections: [Vec<u8>; 10] = [
        trie,
        words().flat_map(|word| word.context.to_le_bytes()).collect(),
        words().flat_map(|word| word.cost.to_le_bytes()).collect(),
        words().flat_map(|word| tag_index[word.tag.as_str()].to_le_bytes()).collect(),
        bases,
        pool,
        matrix_size.to_le_bytes().into_iter().chain(matrix.iter().flat_map(|cost| cost.to_le_bytes())).collect(),
        tags.join("\n").into_bytes(),
        chars.iter().flat_map(|(own, all)| [*own, all.to_le_bytes()[0], all.to_le_bytes()[1]]).collect(),
        u32::try_from(lexicon.len()).unwrap().to_le_bytes().into_iter().chain(category_bytes).collect(),
    ];
    let mut file = b"evalrun dictionary 1\n".to_vec();
    for section in &sections {
        file.extend_from_slice(&u32::try_from(section.len()).unwrap().to_le_bytes());
    }
    for section in &sections {
        file.extend_from_slice(section);
    }
    file
}
