//! What a sentence shows of purpose, activity and significance, as yes-or-no features.
//!
//! Some are general forms of Japanese (endings, cue words and whose they are, place in the article), others the words
//! themselves, names and figures left out. What each is worth for each topic was learned from labelled articles: see
//! `weights`.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::about::{About, Outline, has_digit};
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::morpheme::Morpheme;
use crate::text::tag::{Form, Inflection, Pos};

/// What a sentence has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature<'t> {
    /// A form of the sentence or its place in the article, by our name for it.
    Form(&'t str),
    /// A word, in its base form.
    Word(&'t str),
    /// One of its last words, in its base form.
    Ending(&'t str),
    /// Two of its last words that follow each other.
    EndingPair(&'t str, &'t str),
}

/// As in the first columns of `weights.tsv`.
impl fmt::Display for Feature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(name) => write!(f, "form\t{name}"),
            Self::Word(word) => write!(f, "word\t{word}"),
            Self::Ending(word) => write!(f, "ending\t{word}"),
            Self::EndingPair(first, second) => write!(f, "ending\t{first} {second}"),
        }
    }
}

/// The features of each sentence, each once.
pub(super) fn features<'t>(outline: &Outline<'t>) -> Vec<Vec<Feature<'t>>> {
    let cues = Cues::find(outline.passage);
    let mut found = vec![Vec::new(); outline.passage.sentences.len()];
    for (n, found) in found.iter_mut().enumerate() {
        let mut forms = cues.groups(n);
        place(outline, n, &mut forms);
        owned_nouns(outline, &cues, n, &mut forms);
        predicate(outline, n, &mut forms);
        neighbours(outline, &cues, n, &mut forms);
        found.extend(forms.into_iter().map(Feature::Form));
        add_words(outline.passage, n, found);
    }
    found
}

/// How many words at the end of a sentence say how it ends.
const ENDING: usize = 6;

fn add_words<'t>(passage: &'t Passage<'_>, n: usize, found: &mut Vec<Feature<'t>>) {
    let words = passage.morphemes_in(&passage.sentences[n].range).iter().filter(|word| word.pos() != Pos::Symbol);
    let words: Vec<(&str, bool)> = words.map(|word| (word.base(&passage.text), is_common(word.pos()))).collect();
    let forms = found.len();
    let mut add = |feature: Feature<'t>| {
        if !found[forms..].contains(&feature) {
            found.push(feature);
        }
    };
    for (word, _) in words.iter().filter(|(_, is_common)| *is_common) {
        add(Feature::Word(word));
    }
    let ending = &words[words.len().saturating_sub(ENDING)..];
    for (word, _) in ending {
        add(Feature::Ending(word));
    }
    for pair in ending.windows(2) {
        add(Feature::EndingPair(pair[0].0, pair[1].0));
    }
}

/// Neither a name nor a figure.
fn is_common(pos: Pos) -> bool {
    !matches!(
        pos,
        Pos::FamilyName
            | Pos::GivenName
            | Pos::PersonName
            | Pos::PlaceName
            | Pos::CountryName
            | Pos::OrganizationName
            | Pos::ProperNoun
            | Pos::Numeral
    )
}

/// What a string that is looked for in every sentence is a sign of.
#[derive(Clone, Copy)]
enum Cue {
    /// A word of the group with this number.
    Group(usize),
    /// A noun of the kind with this number that belongs to somebody.
    Noun(usize),
    /// A word of headings and questions.
    Section(Section),
}

/// What a heading or a question announces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Why,
    Matters,
    What,
}

/// The cues of an article, found in one pass.
struct Cues {
    /// Of each sentence, a bit a group.
    groups: Vec<u64>,
    /// Of each sentence, the places (bytes of the article) of nouns with their kinds.
    nouns: Vec<Vec<(Range<usize>, usize)>>,
    /// Of each sentence, a bit a section.
    sections: Vec<u8>,
}

impl Cues {
    fn find(passage: &Passage<'_>) -> Self {
        static AUTOMATON: LazyLock<(AhoCorasick, Vec<Cue>)> = LazyLock::new(|| {
            let groups = WORDS.iter().zip(0..).map(|(group, n)| (Cue::Group(n), group.words));
            let nouns = NOUNS.iter().zip(0..).map(|((nouns, _), n)| (Cue::Noun(n), *nouns));
            let sections = SECTIONS.iter().map(|(section, words)| (Cue::Section(*section), *words));
            let words = groups.chain(nouns).chain(sections);
            let words: Vec<(Cue, &str)> =
                words.flat_map(|(cue, words)| words.iter().map(move |word| (cue, *word))).collect();
            let automaton = AhoCorasick::new(words.iter().map(|(_, word)| word)).expect("a small list");
            (automaton, words.into_iter().map(|(cue, _)| cue).collect())
        });
        let (automaton, cue_of) = &*AUTOMATON;
        let sentences = &passage.sentences;
        let len = sentences.len();
        let mut cues = Self { groups: vec![0; len], nouns: vec![Vec::new(); len], sections: vec![0; len] };
        let mut n = 0;
        for word in automaton.find_overlapping_iter(&passage.text) {
            while n < len && sentences[n].range.end < word.end() {
                n += 1;
            }
            if n == len || sentences[n].range.start > word.start() {
                continue;
            }
            match cue_of[word.pattern().as_usize()] {
                Cue::Group(group) => cues.groups[n] |= 1 << group,
                Cue::Noun(kind) => cues.nouns[n].push((word.range(), kind)),
                Cue::Section(section) => cues.sections[n] |= 1 << section as u8,
            }
        }
        cues
    }

    /// The names of the groups that a sentence has words of.
    fn groups(&self, n: usize) -> Vec<&'static str> {
        let has = |group: &usize| self.groups[n] >> group & 1 == 1;
        (0..WORDS.len()).filter(has).map(|group| WORDS[group].name).collect()
    }

    /// Whether a sentence has a word of a section.
    fn announces(&self, n: usize, section: Section) -> bool {
        self.sections[n] >> section as u8 & 1 == 1
    }
}

/// Words and forms that are told apart by what they contribute, not by what they are about.
struct Group {
    name: &'static str,
    words: &'static [&'static str],
}

const fn group(name: &'static str, words: &'static [&'static str]) -> Group {
    Group { name, words }
}

const WORDS: &[Group] = &[
    // Why.
    group("aims", &["目指", "めざ", "見据え", "見すえ", "掲げ", "狙っ", "ねらっ", "図る", "図り", "図ろ", "思い描"]),
    group(
        "wishes",
        &["たいと", "たいという", "たいとの", "たい考え", "たいのです", "たかった", "たいから", "たいからだ"],
    ),
    group("wish_end", &["たい。", "ほしい。", "ように。", "たい、"]),
    group("wants_others", &["ほしい", "もらおう", "もらうため", "もらえるよう", "もらいたい"]),
    group("wish_spoken", &["たい」", "ほしい」"]),
    group(
        "tries",
        &["ようと", "おうと", "こうと", "そうと", "ろうと", "もうと", "とうと", "ぼうと", "ごうと", "えようと"],
    ),
    group(
        "intends",
        &[
            "おうという",
            "ようという",
            "うという試み",
            "うという取り組み",
            "うというわけ",
            "うという考え",
            "うというのが",
        ],
    ),
    group(
        "for_end",
        &[
            "ためです",
            "ためだ",
            "ためであ",
            "ためとみ",
            "ためで、",
            "ため。",
            "ためとい",
            "ためでした",
            "ためなの",
            "ためと思",
            "ためと考",
            "ためではない",
        ],
    ),
    group("for_mid", &["ために", "ため、"]),
    group("for_noun", &["ための", "のためを"]),
    group("so_that", &["ように", "よう、", "ようにする", "ようにと"]),
    group("because_end", &["からです", "からだ", "からなの", "からでした", "から。", "からにほか"]),
    group("because_mid", &["ことから", "を受けて", "を踏まえ", "をふまえ", "なか、", "ことを受け", "ことに伴"]),
    group("answers", &["に応え", "にこたえ", "応えよう", "要望", "求める声", "声を受け", "声に"]),
    group(
        "prevents",
        &[
            "防ぐ",
            "防ぎ",
            "防ごう",
            "なくす",
            "なくそう",
            "減らし",
            "減らす",
            "減らそ",
            "歯止め",
            "解消",
            "やわらげ",
            "和らげ",
            "避ける",
            "おさえ",
            "抑え",
        ],
    ),
    group(
        "protects",
        &[
            "守る",
            "守り",
            "守ろう",
            "支える",
            "支え続け",
            "残す",
            "残し",
            "受け継",
            "引き継",
            "助け",
            "保つ",
            "維持",
            "つなぐ",
        ],
    ),
    group(
        "creates",
        &[
            "きっかけをつく",
            "きっかけを作",
            "場をつく",
            "場を作",
            "機会を増",
            "機会を広",
            "機会をつく",
            "受け皿",
            "橋渡し",
            "足がかり",
            "仕組みをつく",
            "仕組みを整",
            "環境を整",
            "土台を",
        ],
    ),
    group(
        "problem",
        &[
            "課題",
            "悩み",
            "悩む",
            "不足",
            "足りな",
            "減少",
            "高齢化",
            "人口減",
            "困っ",
            "困る",
            "難しく",
            "相次",
            "深刻",
            "絶え",
            "追いつかない",
            "伸び悩",
        ],
    ),
    group("why_asked", &["なぜ", "どうして", "何のため", "理由は"]),
    group(
        "reads_intent",
        &["読み取れ", "うかがえ", "にじ", "込めら", "こめら", "込めた", "こめた", "込めて", "こめて", "託さ"],
    ),
    // Why it matters.
    group(
        "becomes_able",
        &["ようにな", "やすくな", "やすくでき", "にくくな", "なくても", "ずにす", "られるよう", "できるよう"],
    ),
    group(
        "improves",
        &[
            "楽にな",
            "軽くな",
            "軽くでき",
            "高ま",
            "高め",
            "増え",
            "ふえ",
            "広が",
            "広げ",
            "深ま",
            "よくな",
            "良くな",
            "元気",
            "活性",
            "向上",
            "改善",
            "弾み",
            "進む",
            "進み",
            "太く",
            "厚み",
            "豊か",
            "身近",
        ],
    ),
    group(
        "lessens",
        &[
            "減らせ",
            "減り",
            "減る",
            "減って",
            "縮め",
            "短く",
            "省け",
            "防げ",
            "避けら",
            "やわら",
            "なくなる",
            "救え",
            "救わ",
            "助かる",
            "守られ",
            "守れ",
        ],
    ),
    group(
        "opens",
        &["開け", "開かれ", "ひら", "近づ", "生まれ", "根づ", "根付", "育ち", "育って", "戻", "取り戻", "息を吹き返"],
    ),
    group("leads_to", &["つなが", "結びつ", "結び付", "至る", "導く", "もたら", "及ぼ", "与え"]),
    group(
        "helps",
        &[
            "役立",
            "役に立",
            "貢献",
            "後押し",
            "支えにな",
            "力にな",
            "助けにな",
            "一助",
            "背中を押",
            "背中をそっと",
            "足がかり",
            "手助け",
        ],
    ),
    group("changes", &["変わ", "変える", "変えて", "問い直", "塗り替え", "見直す", "新しい道", "転換"]),
    group(
        "shows",
        &[
            "示して",
            "示す",
            "示した",
            "証拠",
            "証し",
            "あかし",
            "物語",
            "教えてくれ",
            "裏づけ",
            "裏付け",
            "改めて",
            "あらためて",
        ],
    ),
    group(
        "value_adjective",
        &[
            "心強",
            "大きな意味",
            "大きな一歩",
            "画期",
            "貴重",
            "計り知れ",
            "見逃せ",
            "小さくありません",
            "小さくない",
            "大切な",
            "だいじな",
            "大事な",
            "うれしい",
            "ありがた",
        ],
    ),
    group(
        "hope_noun",
        &[
            "希望",
            "励み",
            "手本",
            "お手本",
            "追い風",
            "起爆剤",
            "味方",
            "チャンス",
            "道しるべ",
            "突破口",
            "布石",
            "礎",
            "試金石",
            "モデル",
            "ヒント",
        ],
    ),
    group("expects", &["期待", "注目", "楽しみ", "待たれ", "見守"]),
    group(
        "if",
        &[
            "れば",
            "えば",
            "けば",
            "せば",
            "てば",
            "めば",
            "べば",
            "ねば",
            "たら、",
            "なら",
            "となると",
            "だけで",
            "しだい",
            "次第",
            "ことで、",
            "ことにより",
            "によって、",
            "ることで",
        ],
    ),
    group("if_to", &["ると、", "くと、", "うと、", "つと、", "すと、", "ぶと、", "むと、"]),
    group(
        "perhaps",
        &[
            "でしょう",
            "だろう",
            "はず",
            "かもしれ",
            "そうです",
            "そうだ",
            "とみられ",
            "ではないで",
            "のではない",
            "可能性",
            "ことになる",
            "なろう",
            "考えられ",
            "見込",
            "見通し",
        ],
    ),
    group(
        "future",
        &[
            "将来",
            "今後",
            "これから",
            "いずれ",
            "やがて",
            "未来",
            "次の世代",
            "次世代",
            "数年後",
            "先々",
            "ゆくゆく",
            "近い日",
            "日も近",
        ],
    ),
    group(
        "people",
        &[
            "人に",
            "人々",
            "人びと",
            "人たち",
            "人が",
            "人の",
            "人も",
            "方に",
            "方が",
            "若者",
            "若い",
            "子ども",
            "こども",
            "お年寄り",
            "高齢",
            "住民",
            "市民",
            "利用者",
            "患者",
            "学生",
            "生徒",
            "児童",
            "家族",
            "家庭",
            "農家",
            "消費者",
            "企業",
            "選手",
            "観光客",
            "働く",
        ],
    ),
    group(
        "society",
        &[
            "社会",
            "地域",
            "暮らし",
            "くらし",
            "生活",
            "経済",
            "産業",
            "業界",
            "環境",
            "医療",
            "教育",
            "まち",
            "町の",
            "街",
            "産地",
            "現場",
            "世界",
            "国内",
            "市場",
            "食卓",
            "研究",
            "分野",
        ],
    ),
    group("for_whom", &["にとって", "にも", "側も", "双方"]),
    group("first_time", &["初めて", "はじめて", "初の", "例目", "国内初", "世界初", "史上", "ぶり"]),
    // What is done.
    group(
        "announces",
        &[
            "発表",
            "公表",
            "明らかに",
            "知らせ",
            "公開され",
            "公開しました",
            "公開した",
            "報じ",
            "伝えら",
            "方針",
            "ニュース",
            "話題",
        ],
    ),
    group("says", &["話し", "話す", "語っ", "語り", "語る", "述べ", "コメント", "説明し", "強調", "意気込"]),
    group(
        "procedure",
        &[
            "受け付け",
            "受付",
            "申し込",
            "応募",
            "予約",
            "定員",
            "参加費",
            "料金",
            "入場",
            "対象",
            "会場",
            "期間",
            "日程",
            "開館",
            "配布",
            "配り",
            "配る",
            "抽選",
        ],
    ),
    group(
        "acts",
        &[
            "行い",
            "行わ",
            "行う",
            "行っ",
            "開く",
            "開き",
            "開か",
            "開催",
            "設け",
            "設置",
            "置き",
            "置く",
            "置か",
            "使い",
            "使っ",
            "使う",
            "用い",
            "調べ",
            "測",
            "集め",
            "作り",
            "作っ",
            "作る",
            "つくり",
            "つくっ",
            "運び",
            "運ぶ",
            "送り",
            "送る",
            "訪",
            "巡",
            "回り",
            "回る",
            "並べ",
            "並び",
            "展示",
            "実演",
            "体験",
            "見学",
            "発売",
            "販売",
            "売り出",
            "導入",
            "運用",
            "運行",
            "走ら",
            "走り",
            "走る",
            "配置",
            "整備",
            "建て",
            "改修",
            "改装",
            "増や",
            "加え",
            "組み合わせ",
            "分け",
            "選び",
            "選ば",
            "競い",
            "競っ",
            "戦い",
            "破り",
            "破っ",
            "下し",
            "挙げ",
            "決め",
            "担当",
            "担う",
            "派遣",
            "招",
            "学ぶ",
            "学び",
            "教え",
            "育て",
            "植え",
            "採",
            "取り",
            "撮",
            "記録",
            "分析",
            "観察",
            "実験",
            "試験",
            "比べ",
            "確かめ",
            "進め",
            "続け",
            "始め",
            "始ま",
            "終え",
            "完成",
            "届け",
            "渡",
            "貸し",
            "交付",
            "投じ",
            "負担",
            "委託",
            "連携",
            "協力",
            "意見を交",
            "話し合",
            "講演",
            "講習",
            "研修",
            "指導",
            "点検",
            "清掃",
            "修理",
            "補修",
            "検証",
            "申請",
            "提出",
            "審査",
            "認定",
        ],
    ),
    group(
        "method",
        &[
            "を使って",
            "を用いて",
            "を通じて",
            "通して",
            "たうえで",
            "た上で",
            "ながら",
            "によって",
            "まず",
            "続いて",
            "その後",
            "次に",
            "さらに",
            "また、",
            "あわせて",
            "ほか、",
        ],
    ),
    group(
        "time_or_place",
        &[
            "午前",
            "午後",
            "月",
            "日に",
            "日から",
            "日まで",
            "年度",
            "までに",
            "会場",
            "館内",
            "市内",
            "県内",
            "町内",
            "校",
            "館で",
            "場で",
            "センター",
        ],
    ),
    group("past_deed", &["ました。", "た。", "ました、"]),
    group(
        "will_do",
        &[
            "予定",
            "計画",
            "方針です",
            "ことにし",
            "ことになり",
            "ことにな",
            "始まります",
            "始めます",
            "行います",
            "開きます",
            "進めます",
            "見込み",
        ],
    ),
    // Talk that is none of the three.
    group(
        "definition",
        &[
            "のことです",
            "のことだ",
            "のことをい",
            "を指し",
            "を指す",
            "という意味",
            "と呼ばれ",
            "と呼び",
            "といい、",
            "の一種",
            "の略",
            "の総称",
            "ものです。",
            "ものだ。",
            "ものを言",
            "種類",
        ],
    ),
    group(
        "general",
        &[
            "一般に",
            "一般的",
            "そもそも",
            "もともと",
            "昔",
            "古く",
            "かつて",
            "歴史",
            "以来",
            "世界中",
            "世界では",
            "日本では",
            "各地",
            "全国の",
            "多くの",
            "さまざま",
            "いろいろ",
            "知られ",
            "と言われ",
            "といわれ",
            "とされ",
        ],
    ),
    group("advice", &["ましょう", "ください", "みては", "心がけ", "ご注意", "気をつけ", "覚えておき", "いかが"]),
    group("question", &["でしょうか", "ですか", "のか。", "?"]),
    group("example", &["たとえば", "例えば", "といった", "など"]),
    group(
        "must",
        &[
            "必要があ",
            "必要です",
            "必要だ",
            "欠かせ",
            "なくてはな",
            "なければな",
            "重要です",
            "重要だ",
            "大切です",
            "大切だ",
        ],
    ),
];

fn place(outline: &Outline<'_>, n: usize, found: &mut Vec<&'static str>) {
    let sentence = &outline.passage.sentences[n];
    found.push(match outline.about(n) {
        About::News => "about_news",
        About::Open => "about_open",
        About::Other => "about_other",
    });
    found.push(match outline.passage.blocks[sentence.block].kind {
        BlockKind::Heading => "heading",
        BlockKind::Item => "item",
        BlockKind::Table => "table",
        BlockKind::Code => "code",
        _ => "paragraph",
    });
    found.push(match outline.passage.sentences.len() {
        0..=2 => "of_two",
        3..=4 => "of_four",
        5..=8 => "of_eight",
        _ => "of_many",
    });
    match outline.position(n) {
        position if n == 0 || position < 0.12 => found.push("opening"),
        position if position > 0.7 => found.push("ending"),
        _ => {}
    }
    if outline.mentions_actor(n) {
        found.push("actor");
    }
    if outline.points_at_news(n) {
        found.push("pointer");
    }
    match outline.title_overlap(n) {
        0 => {}
        1 => found.push("title_1"),
        2 | 3 => found.push("title_2"),
        _ => found.push("title_4"),
    }
    match outline.details_beyond_title(n) {
        0..=2 => found.push("details_few"),
        3..=5 => found.push("details_some"),
        6..=9 => found.push("details_many"),
        _ => found.push("details_most"),
    }
    if outline.has_known_figure(n) {
        found.push("known_figure");
    } else if has_digit(outline.text(n)) {
        found.push("figure");
    }
    let length = outline.text(n).chars().count();
    if length < 20 {
        found.push("short");
    } else if length > 60 {
        found.push("long");
    }
}

/// Nouns that name a purpose or a value, with the names of their features by whose it is.
const NOUNS: [(&[&str], [&str; 3]); 4] = [
    (
        &["目的", "ねらい", "狙い", "目標", "趣旨", "主眼", "眼目", "使命", "意図", "めざすところ", "目指すところ"],
        ["purpose_of_news", "purpose_of_none", "purpose_of_other"],
    ),
    (
        &[
            "願い",
            "出発点",
            "きっかけ",
            "理由",
            "発想",
            "動機",
            "思い",
            "考え",
            "気持ち",
            "わけ",
            "背景",
            "根っこ",
            "原点",
            "構え",
            "柱",
            "コンセプト",
            "試み",
            "判断",
        ],
        ["motive_of_news", "motive_of_none", "motive_of_other"],
    ),
    (
        &[
            "意義",
            "価値",
            "意味",
            "重要",
            "大切",
            "大事",
            "影響",
            "効果",
            "利点",
            "メリット",
            "恩恵",
            "役割",
            "魅力",
            "強み",
        ],
        ["value_of_news", "value_of_none", "value_of_other"],
    ),
    (
        &[
            "一歩",
            "手がかり",
            "支え",
            "力",
            "成果",
            "快挙",
            "前進",
            "転機",
            "節目",
            "道",
            "存在",
            "機会",
            "出来事",
            "日",
        ],
        ["gain_of_news", "gain_of_none", "gain_of_other"],
    ),
];
fn owned_nouns(outline: &Outline<'_>, cues: &Cues, n: usize, found: &mut Vec<&'static str>) {
    let mut best: [Option<About>; NOUNS.len()] = [None; NOUNS.len()];
    for (noun, kind) in &cues.nouns[n] {
        let owner = outline.owner_of_noun(n, noun);
        best[*kind] = Some(best[*kind].map_or(owner, |best| best.min(owner)));
    }
    found.extend(best.iter().zip(NOUNS).filter_map(|(owner, (_, names))| Some(names[(*owner)? as usize])));
}

fn predicate(outline: &Outline<'_>, n: usize, found: &mut Vec<&'static str>) {
    let range: &Range<usize> = &outline.passage.sentences[n].range;
    let words = outline.passage.morphemes_in(range);
    let Some(last) = words.iter().rposition(|word| !matches!(word.pos(), Pos::Symbol | Pos::FinalParticle)) else {
        return;
    };
    let tail: &[Morpheme] = &words[last.saturating_sub(4)..=last];
    let inflected = |inflection: Inflection| tail.iter().any(|word| word.tag.inflection == inflection);
    if words[last].pos().is_nominal() {
        found.push("ends_in_noun");
    }
    if tail.last().is_some_and(|word| matches!(word.tag.inflection, Inflection::Desu | Inflection::Da)) {
        found.push("copula");
    }
    if inflected(Inflection::Ta)
        || tail.iter().any(|word| matches!(word.surface(&outline.passage.text), "た" | "だ"))
            && inflected(Inflection::Ta)
    {
        found.push("past");
    }
    if tail.iter().any(|word| matches!(word.base(&outline.passage.text), "れる" | "られる")) {
        found.push("passive_or_able");
    }
    if tail.iter().any(|word| word.tag.form == Form::Imperative) {
        found.push("imperative");
    }
    if outline.has_concrete_action(n) {
        found.push("action_predicate");
    }
}

/// Words by which headings and questions announce what follows.
const SECTIONS: [(Section, &[&str]); 3] = [
    (
        Section::Why,
        &["目的", "ねらい", "狙い", "なぜ", "どうして", "理由", "背景", "きっかけ", "願い", "思い", "わけ", "何のため"],
    ),
    (
        Section::Matters,
        &[
            "意味",
            "意義",
            "期待",
            "変わる",
            "これから",
            "今後",
            "影響",
            "広がる",
            "つなが",
            "未来",
            "効果",
            "価値",
            "暮らしは",
            "暮らしへ",
            "すごい",
            "どうなる",
            "希望",
            "一歩",
            "展望",
            "まとめ",
        ],
    ),
    (
        Section::What,
        &[
            "内容",
            "概要",
            "活動",
            "どんな",
            "仕組み",
            "しくみ",
            "流れ",
            "予定",
            "様子",
            "ようす",
            "どのように",
            "何を",
            "なにを",
            "会場",
            "方法",
            "ポイント",
            "スケジュール",
            "あらまし",
            "試験",
            "実験",
            "取り組み",
            "詳細",
        ],
    ),
];

fn neighbours(outline: &Outline<'_>, cues: &Cues, n: usize, found: &mut Vec<&'static str>) {
    let under = |section| outline.heading_above(n).any(|heading| cues.announces(heading, section));
    for (section, name) in
        [(Section::Why, "under_why"), (Section::Matters, "under_matters"), (Section::What, "under_what")]
    {
        if under(section) {
            found.push(name);
        }
    }
    let Some(before) = n.checked_sub(1) else { return };
    let text_before = outline.text(before);
    if cues.announces(before, Section::Why)
        && (text_before.ends_with("か。") || text_before.contains('?') && text_before.ends_with(['?', '。']))
    {
        found.push("after_why");
    }
    const REFERS_BACK: [&str; 16] = [
        "それが",
        "これが",
        "そんな",
        "その一言",
        "そうした",
        "こうした",
        "そこで",
        "だから",
        "そのため",
        "ここに",
        "それは",
        "そう",
        "そこから",
        "この二つ",
        "この空白",
        "という発想",
    ];
    let refers_back = |part: &str| REFERS_BACK.iter().any(|word| part.starts_with(word));
    if outline.text(n).split('、').any(refers_back) {
        found.push("refers_back");
    }
    if ["たい。", "ほしい。", "こと。", "ように。"].iter().any(|ending| text_before.ends_with(ending)) {
        found.push("after_wish");
    }
}
