//! English, romaji and other languages in Latin letters within Japanese text.

use foldhash::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use super::{Foreign, ForeignKind};
use crate::text::Passage;
use crate::text::block::BlockKind;

/// A word in Latin letters.
struct Word<'t> {
    text: &'t str,
    range: Range<usize>,
}

/// Runs of running text or single ordinary words in Latin letters.
pub(super) fn foreign(passage: &Passage<'_>, known: &str) -> Vec<Foreign> {
    let text = passage.text.as_str();
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) && !text.chars().any(is_latin) {
        return Vec::new();
    }
    let known = known_words(known);
    let masks = masks(passage);
    let mut runs = Vec::new();
    for stretch in stretches(text) {
        let words: Vec<Word<'_>> =
            words(text, stretch).filter(|word| !masks.iter().any(|mask| mask.contains(&word.range.start))).collect();
        judge(text, &words, &known, &mut runs);
    }
    runs
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || (matches!(c, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}') && c != '×' && c != '÷')
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '々' | '、' | '。' | '「' | '」' | '『' | '』' | '【' | '】')
}

/// Stretches between Japanese characters and line ends that hold Latin letters.
fn stretches(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_boundary = |c: char| is_japanese(c) || matches!(c, '\n' | '(' | ')' | '|' | '<' | '>' | '・' | '→');
    text.split(is_boundary).filter(|part| part.chars().any(is_latin)).map(|part| {
        // The parts' addresses tell where they stand: what `split` drops between them varies in length.
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    })
}

fn words(text: &str, stretch: Range<usize>) -> impl Iterator<Item = Word<'_>> {
    let mut at = stretch.start;
    std::iter::from_fn(move || {
        let start = at + text[at..stretch.end].find(is_latin)?;
        let is_inner = |c: char| is_latin(c) || c == '\'' || c.is_ascii_digit() || c == '_';
        let length = text[start..stretch.end].find(|c| !is_inner(c)).unwrap_or(stretch.end - start);
        at = start + length;
        Some(Word { text: text[start..at].trim_end_matches('\''), range: start..at })
    })
}

fn known_words(known: &str) -> HashSet<String> {
    words(known, 0..known.len()).map(|word| word.text.to_lowercase()).collect()
}

/// What holds Latin letters without being language: addresses, tags, formulae, code keys.
fn masks(passage: &Passage<'_>) -> Vec<Range<usize>> {
    static PATTERN: OnceLock<regex::Regex> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        regex::Regex::new(concat!(
            r"https?:[^\s　、。」』）)]*|www\.[^\s　、。」』）)]*|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+",
            r"|(?:[A-Za-z0-9_-]+\.)+(?:com|org|net|jp|go|ne|co|io|edu|gov|html|pdf|txt|json|csv|md|png|jpg|py|js)(?-u:\b)[A-Za-z0-9_/.-]*",
            r"|<\|[^|>\s]*\|>|</?[A-Za-z][^>\n]{0,40}>|<s>|\[/?[A-Z]+\]|\\[A-Za-z]+(?:\{[A-Za-z]*\})?|\$[^$\n]{1,80}\$",
            r"|[@#][A-Za-z][A-Za-z0-9_]*|`[^`\n]{1,60}`|assistantfinal|assistantcommentary",
        ))
        .expect("a valid pattern")
    });
    let mut masks: Vec<Range<usize>> = pattern.find_iter(&passage.text).map(|found| found.range()).collect();
    for block in &passage.blocks {
        let line = passage.text[block.range.clone()].trim_end_matches([':', ' ']);
        if matches!(line, "assistant" | "user" | "system" | "model") {
            masks.push(block.range.clone());
        }
    }
    for block in passage.blocks.iter().filter(|block| block.kind == BlockKind::Code) {
        let line = &passage.text[block.range.clone()];
        if line.starts_with("```") || line.starts_with("~~~") {
            masks.push(block.range.clone());
        }
    }
    masks.extend(json_keys(&passage.text));
    masks
}

/// Keys of a JSON wrapper are part of the wrapper, not of the text.
fn json_keys(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    static PATTERN: OnceLock<regex::Regex> = OnceLock::new();
    let pattern =
        PATTERN.get_or_init(|| regex::Regex::new(r#""[A-Za-z_][A-Za-z0-9_]*"\s*:|\\n"#).expect("a valid pattern"));
    pattern.find_iter(text).map(|found| found.range())
}

fn judge(text: &str, words: &[Word<'_>], known: &HashSet<String>, runs: &mut Vec<Foreign>) {
    let is_ordinary = |word: &Word<'_>| is_ordinary(text, word, known);
    let Some(first) = words.iter().position(is_ordinary) else { return };
    let last = words.iter().rposition(is_ordinary).unwrap_or(first);
    let whole = &words[0..words.len()];
    let is_name = |word: &Word<'_>| word.text.starts_with(char::is_uppercase) && word.text.chars().count() > 1;
    let all_capitalised = whole.len() > 1 && whole.iter().all(is_name);
    let opens_sentence = sets().sentence_openers.contains(whole[0].text.to_lowercase().as_str());
    if (all_capitalised && !opens_sentence && !is_listed(text, whole))
        || is_gloss(text, whole)
        || is_title(text, whole)
        || is_name_with_connectors(text, whole, known)
    {
        return;
    }
    // A sentence is shown from its first word; a single ordinary word among names stands alone.
    let is_running = whole.iter().filter(|word| is_ordinary(word)).count() * 2 >= whole.len();
    let (first, last) = if is_running { (0, whole.len() - 1) } else { (first, last) };
    let mut range = words[first].range.start..words[last].range.end;
    if text[range.end..].starts_with([',', '.', '!', '?']) {
        range.end += 1;
    }
    let kind = language(&words[first..=last]);
    let range = if first == last { glued_word(text, range) } else { range };
    runs.push(Foreign { range, kind });
}

/// Whether the words are not one name but several set apart by marks: `April - June`.
fn is_listed(text: &str, words: &[Word<'_>]) -> bool {
    words.windows(2).any(|pair| text[pair[0].range.end..pair[1].range.start].trim() != "")
}

/// A Latin word with the katakana it is glued to: `ポollenカウント`.
fn glued_word(text: &str, range: Range<usize>) -> Range<usize> {
    let is_katakana = |c: &char| matches!(c, 'ァ'..='ヺ' | 'ー');
    let before = text[..range.start].chars().rev().take_while(is_katakana).map(char::len_utf8).sum::<usize>();
    if before == 0 || before > 12 { range } else { range.start - before..range.end }
}

/// Whether a word is one for which Japanese would be written.
fn is_ordinary(text: &str, word: &Word<'_>, known: &HashSet<String>) -> bool {
    let lower = word.text.to_lowercase();
    if known.contains(&lower) || word.text.contains(|c: char| c.is_ascii_digit() || c == '_') {
        return false;
    }
    let first = word.text.chars().next().unwrap_or_default();
    let before = text[..word.range.start].chars().next_back().unwrap_or(' ');
    let after = text[word.range.end..].chars().next().unwrap_or(' ');
    if lower.ends_with("'s") && lower.len() > 3 && text[word.range.end..].trim_start().starts_with(is_japanese) {
        return true;
    }
    if first.is_uppercase() {
        let rest_is_lower = word.text.chars().skip(1).all(|c| !c.is_uppercase()) && word.text.chars().count() > 1;
        return rest_is_lower && sets().capitalised.contains(lower.as_str());
    }
    // A small first letter with capitals inside is a product or a unit: iPhone, mRNA, kWh.
    if word.text.chars().any(char::is_uppercase) {
        return false;
    }
    let letters = word.text.chars().count();
    if letters == 1 {
        // Variables and prefixes (x軸, eスポーツ) stand at a word's edge, a slip stands between kana: シmュレーション.
        let is_katakana = |c: char| matches!(c, 'ァ'..='ヺ' | 'ー');
        return is_katakana(before) && is_katakana(after);
    }
    if before.is_ascii_digit()
        || matches!(before, '.' | '/' | '\\' | '@' | '#' | '_' | '%' | '°' | 'µ' | 'μ' | '=' | '+')
    {
        return false;
    }
    if matches!(after, '/' | '_' | '\\' | '=') || after.is_ascii_digit() {
        return false;
    }
    !sets().allowed.contains(lower.as_str())
}

/// A gloss in brackets after its Japanese: up to six words that make no clause.
fn is_gloss(text: &str, words: &[Word<'_>]) -> bool {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let before = text[..first.range.start].trim_end_matches([' ', '"', '\'', ':', '英', '略', '*']);
    let after = text[last.range.end..].trim_start_matches([' ', '"', '\'', '.', '*']);
    let is_open = before.rfind('(').is_some_and(|open| !before[open..].contains([')', '\n', '。']));
    let opened =
        before.ends_with('(') || before.ends_with('[') || (is_open && before.ends_with(['、', ',', ';', '語']));
    let closed = after.starts_with([')', ',', '、', ';', ']']) || after.starts_with("の略");
    let japanese_before = before
        .trim_end_matches(['(', '[', '、', ',', ';'])
        .trim_end_matches([' ', '」', '』', '*', '"'])
        .chars()
        .next_back()
        .is_some_and(|c| is_japanese(c) || c.is_ascii_alphanumeric());
    let has_clause = words.iter().any(|word| sets().clause.contains(word.text.to_lowercase().as_str()));
    opened && closed && japanese_before && words.len() <= 7 && !has_clause
}

/// A title of a work: the whole content of 『』, or of 「」 if it is written as a title.
fn is_title(text: &str, words: &[Word<'_>]) -> bool {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let before = text[..first.range.start].trim_end();
    let after = text[last.range.end..].trim_start_matches([' ', '!', '?', '.', '♪']);
    let capitals = words.iter().filter(|word| word.text.starts_with(char::is_uppercase)).count();
    (before.ends_with('『') && after.starts_with('』'))
        || (before.ends_with('「') && after.starts_with('」') && capitals * 2 > words.len())
}

/// `Bank of America`, `University of the Arts`: every word but connectors is capitalised.
fn is_name_with_connectors(text: &str, words: &[Word<'_>], known: &HashSet<String>) -> bool {
    let mut capitalised =
        words.iter().filter(|word| word.text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()));
    let ordinary = words.iter().filter(|word| is_ordinary(text, word, known));
    let all_connect = ordinary.clone().all(|word| sets().connectors.contains(word.text));
    let first_is_capital = words.first().is_some_and(|word| {
        word.text.starts_with(char::is_uppercase)
            && !sets().sentence_openers.contains(word.text.to_lowercase().as_str())
    });
    all_connect && first_is_capital && capitalised.by_ref().count() > ordinary.count()
}

/// The language of a run: by its letters, then by whether it reads as kana, else English.
fn language(words: &[Word<'_>]) -> ForeignKind {
    let has_macron = words.iter().any(|word| word.text.contains(['ā', 'ī', 'ū', 'ē', 'ō', 'Ō', 'Ū']));
    let has_diacritic = words.iter().any(|word| word.text.chars().any(|c| !c.is_ascii() && is_latin(c)));
    if has_diacritic && !has_macron {
        return ForeignKind::Other;
    }
    let count =
        |set: &HashSet<&str>| words.iter().filter(|word| set.contains(word.text.to_lowercase().as_str())).count();
    let (english, romaji, other) =
        (count(&sets().english), count(&sets().romaji_particles), count(&sets().other_words));
    let kana = words.iter().filter(|word| reads_as_kana(word.text)).count();
    if has_macron || (kana == words.len() && english == 0) || (romaji > english && kana * 4 >= words.len() * 3) {
        return ForeignKind::Romaji;
    }
    if other > english && other * 4 >= words.len() { ForeignKind::Other } else { ForeignKind::English }
}

/// Whether a word can be cut into kana: syllables of a consonant and a vowel, `n`, doubled consonants.
fn reads_as_kana(word: &str) -> bool {
    const ONSETS: [&str; 36] = [
        "kky", "ssh", "cch", "tch", "tts", "ppy", "ky", "sh", "ch", "ts", "ny", "hy", "my", "ry", "gy", "by", "py",
        "ja", "kk", "ss", "tt", "pp", "k", "s", "t", "n", "h", "f", "m", "y", "r", "w", "g", "z", "d", "b",
    ];
    let word = word.to_lowercase().replace(['ā', 'â'], "a").replace(['ū', 'û'], "u").replace(['ō', 'ô'], "o");
    let mut rest = word.as_str();
    while !rest.is_empty() {
        let onset = ONSETS.iter().chain(&["p", "j", "v"]).find(|onset| rest.starts_with(**onset) && **onset != "ja");
        let after = onset.map_or(rest, |onset| &rest[onset.len()..]);
        if let Some(next) = after.strip_prefix(['a', 'i', 'u', 'e', 'o']) {
            rest = next;
        } else if let Some(next) = rest.strip_prefix('n') {
            rest = next.strip_prefix('\'').unwrap_or(next);
        } else {
            return false;
        }
    }
    word.chars().count() > 1
}

struct Sets {
    allowed: HashSet<&'static str>,
    capitalised: HashSet<&'static str>,
    connectors: HashSet<&'static str>,
    sentence_openers: HashSet<&'static str>,
    clause: HashSet<&'static str>,
    english: HashSet<&'static str>,
    romaji_particles: HashSet<&'static str>,
    other_words: HashSet<&'static str>,
}

fn sets() -> &'static Sets {
    static SETS: OnceLock<Sets> = OnceLock::new();
    SETS.get_or_init(|| Sets {
        allowed: ALLOWED.split_whitespace().collect(),
        capitalised: CAPITALISED.split_whitespace().collect(),
        connectors: CONNECTORS.split_whitespace().collect(),
        sentence_openers: "the this these that it in on for as to we i you our my there here if when while with"
            .split(' ')
            .collect(),
        clause: CLAUSE.split_whitespace().collect(),
        english: ENGLISH.split_whitespace().collect(),
        romaji_particles: ROMAJI_PARTICLES.split_whitespace().collect(),
        other_words: OTHER_WORDS.split_whitespace().collect(),
    })
}

/// Small-lettered words that Japanese text has as they are: units, abbreviations, names written small.
const ALLOWED: &str = "mm cm km nm pm um kg mg ng ml dl kl cc ha kw mw gw kwh mwh gwh wh hz khz mhz ghz db mol ppm ppb bps kbps \
    mbps gbps fps px pt em rem rpm kcal cal kj mj pa hpa kpa mpa mph kmh sec min hr hrs am pm vs etc al et cf eg ie ex vol no pp fig \
    id ok ph ip id pc it ai www http https com jp co html css js php py json csv pdf txt xml svg \
    note freee mixi pixiv ahamo povo linemo au docomo auone iphone ipad macos ios ebay adidas npm git github pip linux python java \
    facebook twitter instagram x de la le van von der bin al el da di du des \
    log ln sin cos tan lim max min exp mod gcd det arg dx dy dt df if \
    eスポーツ eラーニング ebook email e-mail wi fi wifi bluetooth web blog app apps cv sns dna rna mrna pcr ph sp gt ver rev \
    th st nd rd";

/// Ordinary words that are flagged even with a capital, which they carry at the head of a sentence or as a heading.
const CAPITALISED: &str = "the this that these those there here it its he she they we you our their my your his her and but or so \
    however moreover furthermore additionally therefore thus hence meanwhile nevertheless nonetheless although though because since \
    while when where what why how who which if as in on at by for from with without to of is are was were be been being has have had \
    will would can could may might should must shall do does did not no yes also then finally firstly secondly thirdly lastly overall \
    conclusion summary introduction background note notes please thank thanks sure certainly okay let here's let's i'm i'll it's \
    january february march april june july august september october november december \
    monday tuesday wednesday thursday friday saturday sunday today tomorrow yesterday \
    significant important specifically especially generally particularly recently currently besides instead according based \
    each every some many most all any both another other such very more less than into about through during before after \
    above below between under over again once only own same too just now";

const CONNECTORS: &str = "of and the for in at on de la le du van von der di da to with by a an or e y und et en del";

/// Words that make a clause of what stands in brackets.
const CLAUSE: &str = "is are was were be will would can could should must has have had do does did we i you he she they it this that \
    there please let because if when not";

/// Frequent English words, to tell English from romaji.
const ENGLISH: &str = "the of and to in is are was were a an that this it for on with as by at from be been has have had will would \
    can not but or which their its we you they he she our more also into about than such other some these those through between \
    new people time work use make made data service business to do so no me he here one come some take same are make gone done \
    we i am us go up on an at be by he if in is it my no of or so to we hotel home game table note are more one time line site \
    nature future theme type mode tune name code rate move here";

const ROMAJI_PARTICLES: &str = "wa wo ga no ni de to mo ka ne yo he desu masu deshita mashita masen kara made yori nado koto mono \
    suru shimasu shimashita shite imasu arimasu";

/// Frequent words of German, French, Spanish, Italian, Portuguese, Vietnamese without diacritics.
const OTHER_WORDS: &str = "der die das und ist nicht ein eine mit auf von zu den dem des im frauen für wir sie es \
    le les une est dans pour que qui sur avec nous vous je donc bonjour comme au aux du \
    el los las una por para con como pero muy \
    il gli della che sono per non con \
    os uma não mais em com \
    cua va cho khong la trong";
