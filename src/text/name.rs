//! Names in running text: people, organizations, places, and named things, from the dictionary's tags and from the words
//! that names end in.
//!
//! Promises to err on the side of silence: a noun phrase without a proper or unknown part is a name only where its form
//! leaves little doubt. What stands in quotation brackets is left to `quotation`.

use std::ops::Range;
use std::sync::LazyLock;

use foldhash::HashSet;

use super::Passage;
use super::morpheme::Morpheme;
use super::tag::Pos;
use crate::property::SpecificKind;

/// A name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The whole mention, with title or honorific.
    pub range: Range<usize>,
    /// The name alone.
    pub core: Range<usize>,
    /// What it names.
    pub kind: SpecificKind,
}

/// The names of a passage, in order.
pub fn names(passage: &Passage<'_>) -> Vec<Name> {
    let words = passage.morphemes();
    let finder = Finder { text: &passage.text, words };
    let mut found = Vec::new();
    let mut n = 0;
    while n < words.len() {
        let name = finder
            .person_at(n)
            .or_else(|| finder.organization_at(n))
            .or_else(|| finder.facility_at(n))
            .or_else(|| finder.place_at(n))
            .or_else(|| finder.thing_at(n));
        match name {
            Some((name, next)) => {
                found.push(name);
                n = next.max(n + 1);
            }
            None => n += 1,
        }
    }
    found
}

struct Finder<'a> {
    text: &'a str,
    words: &'a [Morpheme],
}

const HONORIFICS: [&str; 6] = ["さん", "氏", "君", "様", "さま", "ちゃん"];

/// Posts and professions that follow a person's name.
const TITLES: [&str; 86] = [
    "外相",
    "財務相",
    "防衛相",
    "総理",
    "大統領",
    "書記長",
    "党首",
    "大使",
    "親方",
    "次長",
    "特任准教授",
    "特任教授",
    "名誉教授",
    "客員教授",
    "准教授",
    "教授",
    "助教",
    "講師",
    "博士",
    "先生",
    "副社長",
    "社長",
    "副会長",
    "会長",
    "副理事長",
    "理事長",
    "理事",
    "専務",
    "常務",
    "取締役",
    "執行役員",
    "代表取締役",
    "代表理事",
    "代表",
    "頭取",
    "総裁",
    "副知事",
    "知事",
    "副市長",
    "市長",
    "町長",
    "村長",
    "区長",
    "首相",
    "大臣",
    "長官",
    "議員",
    "議長",
    "総監督",
    "監督",
    "選手",
    "館長",
    "院長",
    "校長",
    "園長",
    "署長",
    "部長",
    "課長",
    "係長",
    "局長",
    "室長",
    "所長",
    "センター長",
    "団長",
    "隊長",
    "主将",
    "コーチ",
    "船長",
    "杜氏",
    "記者",
    "弁護士",
    "医師",
    "看護師",
    "研究員",
    "主任研究員",
    "技師",
    "学芸員",
    "司書",
    "組合長",
    "支店長",
    "支部長",
    "店長",
    "棋士",
    "住職",
    "宮司",
    "学長",
];

impl Finder<'_> {
    fn surface(&self, n: usize) -> &str {
        self.words[n].surface(self.text)
    }

    fn pos(&self, n: usize) -> Pos {
        self.words[n].pos()
    }

    fn adjacent(&self, n: usize) -> bool {
        n > 0 && self.words[n - 1].end == self.words[n].start
    }

    // ---- people ----

    fn person_at(&self, first: usize) -> Option<(Name, usize)> {
        let start = self.person_start(first)?;
        let mut last = start;
        let mut has_name = false;
        while last < self.words.len() && (last == start || self.joins_person(last)) && self.is_name_part(last) {
            has_name |= self.is_person_word(last);
            last += 1;
        }
        if last == start || !has_name {
            return None;
        }
        let mut core = self.words[start].start..self.words[last - 1].end;
        if self.pos(last - 1) == Pos::FamilyName
            && let Some(end) = self.kana_given_name(core.end)
        {
            core.end = end;
        }
        // 佐藤太郎新社長: the word belongs to the post.
        let after = &self.text[core.end..];
        if TITLES.iter().any(|title| after.starts_with(title))
            && let Some(name) =
                ["新", "前", "元", "現", "副"].iter().find_map(|lead| self.text[core.clone()].strip_suffix(lead))
            && name.chars().count() >= 2
        {
            core.end = core.start + name.len();
        }
        let full = core.len();
        if full > 60 {
            return None;
        }
        let after = self.text[core.end..].trim_start_matches(' ');
        let lead = ["新", "前", "元", "現"].iter().find(|lead| {
            after.strip_prefix(**lead).is_some_and(|rest| TITLES.iter().any(|title| rest.starts_with(title)))
        });
        let after = lead.map_or(after, |lead| &after[lead.len()..]);
        let gap = self.text.len() - core.end - after.len();
        let honorific = HONORIFICS.iter().find(|word| after.starts_with(**word)).copied();
        let title = TITLES.iter().filter(|word| after.starts_with(**word)).max_by_key(|word| word.len()).copied();
        let is_katakana_name =
            self.text[core.clone()].contains('・') && is_katakana(&self.text[core.clone()].replace('・', ""));
        let family_and_given = last - start >= 2
            // 青浜 is as likely a place: two characters alone are too few.
            && self.text[core.clone()].chars().nth(2).is_some()
            && (start..last).any(|n| self.pos(n) == Pos::FamilyName)
            && matches!(self.pos(last - 1), Pos::GivenName | Pos::PersonName);
        let alone =
            self.pos(first) == Pos::PersonName && self.words[first].known && self.words[first].range().len() >= 9;
        let suffix = match (honorific, title) {
            (Some(word), _) | (None, Some(word)) => word,
            _ if family_and_given || alone => "",
            _ => return None,
        };
        // 組合さん, 選手たち: a common noun with さん is nobody's name.
        let only_places = (start..last)
            .all(|n| matches!(self.pos(n), Pos::PlaceName | Pos::OrganizationName | Pos::Noun | Pos::ProperNoun));
        if only_places && !is_katakana_name && (honorific.is_none() || !self.has_unknown(start..last)) {
            return None;
        }
        let end = if suffix.is_empty() { core.end } else { core.end + gap + suffix.len() };
        Some((Name { range: core.start..end, core, kind: SpecificKind::Person }, self.word_after(end)))
    }

    /// Where a person's name that `first` belongs to may begin: a family name can hide in a prefix and a rare kanji.
    fn person_start(&self, first: usize) -> Option<usize> {
        let pos = self.pos(first);
        let is_short_kanji = |n: usize| {
            matches!(self.pos(n), Pos::Noun | Pos::Prefix | Pos::NounSuffix | Pos::VerbalNoun)
                && self.surface(n).chars().count() == 1
                && self.surface(n).chars().all(is_han)
        };
        let starts_phrase = first == 0
            || !self.adjacent(first)
            || !self.pos(first - 1).is_nominal() && self.pos(first - 1) != Pos::Prefix;
        if is_short_kanji(first) {
            let next = first + 1;
            let leads_name = next < self.words.len()
                && self.adjacent(next)
                && matches!(self.pos(next), Pos::FamilyName | Pos::GivenName | Pos::PersonName | Pos::PlaceName);
            return (leads_name && starts_phrase).then_some(first);
        }
        let may_start = matches!(pos, Pos::FamilyName | Pos::GivenName | Pos::PersonName)
            || (pos == Pos::PlaceName && starts_phrase)
            || (!self.words[first].known
                && (is_katakana_name(self.surface(first)) || self.surface(first).chars().all(is_han)));
        may_start.then_some(first)
    }

    /// Whether the word continues the name before it: directly, or after the space between family and given name.
    fn joins_person(&self, n: usize) -> bool {
        let gap = &self.text[self.words[n - 1].end..self.words[n].start];
        gap.is_empty() || (gap == " " && matches!(self.pos(n), Pos::GivenName | Pos::FamilyName))
    }

    fn is_name_part(&self, n: usize) -> bool {
        let surface = self.surface(n);
        match self.pos(n) {
            Pos::FamilyName | Pos::GivenName | Pos::PersonName => true,
            Pos::PlaceName | Pos::OrganizationName | Pos::ProperNoun => {
                surface.chars().count() <= 3 || !self.words[n].known
            }
            Pos::Noun | Pos::Prefix | Pos::NounSuffix | Pos::VerbalNoun | Pos::PlaceSuffix => {
                (surface.chars().count() == 1
                    && surface.chars().all(is_han)
                    && !"氏君様長員者部課会社".contains(surface))
                    || (!self.words[n].known
                        && surface.chars().count() <= if surface.contains('・') { 24 } else { 12 }
                        && !surface.is_ascii())
            }
            Pos::Symbol => {
                surface == "・"
                    && n + 1 < self.words.len()
                    && is_katakana(self.surface(n + 1))
                    && n > 0
                    && is_katakana(self.surface(n - 1))
            }
            _ => false,
        }
    }

    /// The end of a given name in kana after a family name: 工藤ひなたさん.
    fn kana_given_name(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        let length: usize = rest
            .chars()
            .take(5)
            .take_while(|c| matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー'))
            .map(char::len_utf8)
            .sum();
        // 織部といった様式: a particle begins no name.
        if rest.starts_with(['と', 'は', 'が', 'を', 'に', 'の', 'も', 'で', 'や', 'へ']) {
            return None;
        }
        (2..=4).rev().find_map(|count| {
            let end: usize = rest.chars().take(count).map(char::len_utf8).sum();
            let honorifics = HONORIFICS.iter().filter(|word| **word != "様");
            let is_name = end <= length && honorifics.chain(&TITLES).any(|word| rest[end..].starts_with(word));
            is_name.then_some(at + end)
        })
    }

    fn is_person_word(&self, n: usize) -> bool {
        matches!(self.pos(n), Pos::FamilyName | Pos::GivenName | Pos::PersonName) || !self.words[n].known
    }

    fn has_unknown(&self, range: Range<usize>) -> bool {
        range.clone().any(|n| !self.words[n].known)
    }

    fn word_after(&self, at: usize) -> usize {
        self.words.partition_point(|word| word.start < at)
    }

    // ---- organizations ----

    /// The noun phrase from `first` on: its words up to the first that belongs to no name; no name has more than so many.
    fn phrase(&self, first: usize) -> Range<usize> {
        const MOST_WORDS: usize = 24;
        let mut last = first;
        while last < self.words.len().min(first + MOST_WORDS)
            && (last == first || self.continues_phrase(last))
            && self.is_phrase_part(last)
        {
            last += 1;
        }
        first..last
    }

    fn continues_phrase(&self, n: usize) -> bool {
        let gap = &self.text[self.words[n - 1].end..self.words[n].start];
        let latin = |n: usize| self.surface(n).chars().all(|c| c.is_ascii_alphanumeric());
        gap.is_empty() || (gap == " " && latin(n - 1) && latin(n))
    }

    fn is_phrase_part(&self, n: usize) -> bool {
        let pos = self.pos(n);
        let surface = self.surface(n);
        match pos {
            Pos::Pronoun
            | Pos::DependentNoun
            | Pos::AdverbialNoun
            | Pos::AdverbialSuffix
            | Pos::Counter
            | Pos::PersonSuffix => false,
            Pos::Symbol => matches!(surface, "・" | "&" | "-") && n + 1 < self.words.len() && self.adjacent(n + 1),
            Pos::Prefix => true,
            Pos::Numeral => surface.chars().all(|c| c.is_ascii_digit()),
            _ => pos.is_nominal(),
        }
    }

    fn organization_at(&self, first: usize) -> Option<(Name, usize)> {
        if !self.begins_phrase(first) {
            return None;
        }
        let phrase = self.phrase(first);
        // The longest part of the phrase that ends in a word organizations end in.
        let last = phrase.clone().rev().find(|n| self.is_organization_head(*n, first))?;
        let start = self.skip_lead(first, last);
        let content = last - start;
        let has_proper = (start..=last).any(|n| self.is_proper_part(n, last));
        let is_whole_name = self.pos(last) == Pos::OrganizationName
            && self.words[last].known
            && self.surface(last).chars().count() >= 3;
        let head_alone = content == 0 && !is_whole_name;
        // Ministries are specific whatever their names are made of.
        let is_ministry = content >= 1
            && matches!(self.surface(last), "省" | "庁")
            && !matches!(self.surface(last - 1), "来" | "登" | "退" | "開" | "当" | "同" | "各")
            && !self.text[..self.words[last].end].ends_with("省庁");
        if head_alone || (!has_proper && !is_whole_name && !is_ministry && content < 3) {
            return None;
        }
        let range = self.words[start].start..self.words[last].end;
        if is_generic_body(&self.text[range.clone()]) {
            return None;
        }
        Some((Name { range: range.clone(), core: range, kind: SpecificKind::Organization }, last + 1))
    }

    fn begins_phrase(&self, first: usize) -> bool {
        first == 0 || !self.adjacent(first) || !self.is_phrase_part(first - 1)
    }

    /// Words before a name that only point at it: 各, 同, 元, 国内.
    fn skip_lead(&self, first: usize, last: usize) -> usize {
        const LEADS: [&str; 20] = [
            "各", "同", "元", "前", "現", "新", "国内", "地元", "県内", "市内", "他", "両", "全", "当", "某", "海外",
            "大手", "民間", "公立", "共同",
        ];
        (first..last).find(|n| !LEADS.contains(&self.surface(*n))).unwrap_or(last)
    }

    fn is_organization_head(&self, n: usize, first: usize) -> bool {
        const HEADS: [&str; 62] = [
            "大学",
            "大学院",
            "高校",
            "高等学校",
            "中学校",
            "小学校",
            "学校",
            "学院",
            "学園",
            "学部",
            "短大",
            "高専",
            "研究所",
            "研究センター",
            "センター",
            "協会",
            "連盟",
            "連合会",
            "連合",
            "機構",
            "省",
            "庁",
            "銀行",
            "信用金庫",
            "証券",
            "生命",
            "保険",
            "組合",
            "財団",
            "法人",
            "委員会",
            "審議会",
            "協議会",
            "会議所",
            "商工会",
            "グループ",
            "ホールディングス",
            "ホールディング",
            "フィナンシャルグループ",
            "株式会社",
            "有限会社",
            "会社",
            "新聞",
            "新聞社",
            "新報",
            "日報",
            "放送",
            "テレビ",
            "通信社",
            "病院",
            "クリニック",
            "医院",
            "製薬",
            "電鉄",
            "鉄道",
            "航空",
            "工業",
            "製作所",
            "酒造",
            "学会",
            "教委",
            "コンソーシアム",
        ];
        static IS_HEAD: LazyLock<HashSet<&str>> = LazyLock::new(|| HEADS.into_iter().collect());
        let surface = self.surface(n);
        if surface == "株式会社" && n == first {
            return false;
        }
        let is_head = IS_HEAD.contains(surface)
            || (surface == "会" && n > first && IS_HEAD.contains(format!("{}会", self.surface(n - 1)).as_str()))
            || (surface == "所" && n > first && ["研究", "観測", "製作", "会議"].contains(&self.surface(n - 1)))
            || (matches!(surface, "省" | "庁" | "社" | "大") && self.pos(n) == Pos::NounSuffix && n > first);
        let is_company_before = n > first && self.surface(first) == "株式会社" && n == self.phrase(first).end - 1;
        let is_known = self.pos(n) == Pos::OrganizationName
            && self.words[n].known
            && surface.chars().count() >= 3
            && !is_katakana(surface);
        // JR四国, NTT東日本; JR富山駅 is a place.
        let is_of_group = n > first
            && matches!(self.surface(first), "JR" | "NTT")
            && n == self.phrase(first).end - 1
            && !surface.ends_with(['駅', '線', '前', '社']);
        is_head || is_company_before || is_known || is_of_group
    }

    /// A proper or unknown word within a name.
    fn is_proper_part(&self, n: usize, head: usize) -> bool {
        let pos = self.pos(n);
        let surface = self.surface(n);
        if n == head || pos == Pos::CountryName {
            return false;
        }
        (pos.is_proper()
            && (self.words[n].known || is_katakana(surface) || surface.starts_with(|c: char| c.is_uppercase())))
            || (!self.words[n].known && surface.chars().count() >= 2 && pos != Pos::Symbol && pos != Pos::Numeral)
    }

    // ---- places ----

    fn place_at(&self, first: usize) -> Option<(Name, usize)> {
        let pos = self.pos(first);
        let surface = self.surface(first);
        let next_is_suffix = |n: usize| n < self.words.len() && self.adjacent(n) && self.pos(n) == Pos::PlaceSuffix;
        let begins = self.begins_phrase(first)
            || first > 0
                && matches!(self.pos(first - 1), Pos::PlaceSuffix | Pos::CountryName | Pos::Prefix | Pos::Symbol);
        if !begins {
            return None;
        }
        let named = match pos {
            Pos::PlaceName => self.words[first].known || next_is_suffix(first + 1),
            Pos::ProperNoun | Pos::Noun => {
                ends_as_place(surface)
                    && surface.chars().count() >= 3
                    && (pos == Pos::ProperNoun || next_is_suffix(first + 1))
            }
            Pos::FamilyName | Pos::OrganizationName => next_is_suffix(first + 1),
            Pos::Numeral | Pos::Symbol => false,
            _ => !self.words[first].known && next_is_suffix(first + 1),
        };
        if !named || is_region_above_places(surface) {
            return None;
        }
        let mut last = first;
        while next_is_suffix(last + 1) && !matches!(self.surface(last + 1), "産" | "風" | "系" | "側" | "内" | "圏")
        {
            last += 1;
        }
        // 福岡県糸島市 is one mention.
        while last > first
            && last + 2 < self.words.len()
            && self.adjacent(last + 1)
            && matches!(self.pos(last + 1), Pos::PlaceName | Pos::FamilyName | Pos::ProperNoun)
            && next_is_suffix(last + 2)
        {
            last += 2;
        }
        let is_bare = last == first;
        // Names that are words besides: 日光 is sunlight as often as a town.
        const WORDS: [&str; 14] = [
            "日光", "大和", "朝日", "中央", "中原", "山上", "山中", "大川", "小川", "本町", "新町", "緑", "旭", "若松",
        ];
        let is_short = surface.chars().count() < 2
            || (is_hiragana(surface) && surface.chars().count() < 4)
            || surface.contains('の')
            || WORDS.contains(&surface);
        if is_bare && (is_short || pos != Pos::PlaceName && !ends_as_place(surface)) {
            return None;
        }
        // 東京大会, 京都議定書: part of a longer name; the place is in it all the same.
        let range = self.words[first].start..self.words[last].end;
        Some((Name { range: range.clone(), core: range, kind: SpecificKind::Place }, last + 1))
    }

    // ---- things ----

    /// Laws, prizes, model numbers, titles in capitals.
    fn thing_at(&self, first: usize) -> Option<(Name, usize)> {
        self.law_at(first).or_else(|| self.latin_at(first))
    }

    fn law_at(&self, first: usize) -> Option<(Name, usize)> {
        if !self.begins_phrase(first) {
            return None;
        }
        let phrase = self.phrase(first);
        let last =
            phrase.clone().rev().find(|n| matches!(self.surface(*n), "法" | "条例" | "条約" | "憲章" | "議定書"))?;
        // 治療法, 調理法 are methods: a law has at least two words of which one is of public life.
        const PUBLIC: [&str; 26] = [
            "組織",
            "保護",
            "基本",
            "基準",
            "促進",
            "振興",
            "推進",
            "対策",
            "規制",
            "管理",
            "安全",
            "権利",
            "福祉",
            "教育",
            "環境",
            "消防",
            "防止",
            "支援",
            "確保",
            "取引",
            "労働",
            "道路",
            "建築",
            "衛生",
            "救済",
            "特別措置",
        ];
        let is_law = self.surface(last) != "法" || (first..last).any(|n| PUBLIC.contains(&self.surface(n)));
        if last - first < 2 || !is_law {
            return None;
        }
        let range = self.words[first].start..self.words[last].end;
        Some((Name { range: range.clone(), core: range, kind: SpecificKind::Name }, last + 1))
    }

    /// Two or more capitalised words, or letters with a number (MX-3).
    fn latin_at(&self, first: usize) -> Option<(Name, usize)> {
        let start = self.words[first].start;
        let begins = self.text[..start]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '/' | '@' | '_' | ':'));
        if !begins || !self.surface(first).starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        let rest = &self.text[start..];
        if self.is_in_foreign_line(start) {
            return None;
        }
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '&' | '\'')))
            .unwrap_or(rest.len());
        let run = rest[..length].trim_end_matches([' ', '-', '&']);
        if rest[run.len()..].starts_with(['/', '@', ':', '_']) {
            return None;
        }
        let parts: Vec<&str> = run.split(' ').collect();
        let capitalised = parts
            .iter()
            .take_while(|part| part.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()))
            .count();
        let titled = parts.iter().take(capitalised).filter(|part| part.chars().any(|c| c.is_ascii_lowercase())).count();
        let range = if capitalised >= 2 && titled >= 1 {
            let length = parts[..capitalised].iter().map(|part| part.len() + 1).sum::<usize>() - 1;
            start..start + length
        } else if is_model_number(parts[0]) {
            start..start + parts[0].len()
        } else {
            return None;
        };
        Some((Name { range: range.clone(), core: range.clone(), kind: SpecificKind::Name }, self.word_after(range.end)))
    }

    /// Whether the line is mostly not Japanese: its capitals tell nothing.
    fn is_in_foreign_line(&self, at: usize) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        let line = &self.text[start..end];
        line.bytes().filter(u8::is_ascii_alphabetic).count() * 2 > line.chars().count()
    }

    /// Buildings and grounds with a proper part: 幕張メッセ, グランド・ハン・ホテル.
    fn facility_at(&self, first: usize) -> Option<(Name, usize)> {
        const HEADS: [&str; 24] = [
            "ホテル",
            "ホール",
            "会館",
            "アリーナ",
            "スタジアム",
            "体育館",
            "公園",
            "駅",
            "空港",
            "美術館",
            "博物館",
            "図書館",
            "水族館",
            "動物園",
            "植物園",
            "神社",
            "神宮",
            "城",
            "ドーム",
            "プラザ",
            "タワー",
            "灯台",
            "展示場",
            "競技場",
        ];
        static IS_HEAD: LazyLock<HashSet<&str>> = LazyLock::new(|| HEADS.into_iter().collect());
        if !self.begins_phrase(first) {
            return None;
        }
        let phrase = self.phrase(first);
        let last = phrase.rev().find(|n| {
            IS_HEAD.contains(self.surface(*n))
                || self.pos(*n) == Pos::PlaceSuffix && matches!(self.surface(*n), "駅" | "空港" | "港")
        })?;
        if last == first || !(first..last).any(|n| self.is_proper_part(n, last)) {
            return None;
        }
        let range = self.words[first].start..self.words[last].end;
        Some((Name { range: range.clone(), core: range, kind: SpecificKind::Place }, last + 1))
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '々')
}

fn is_katakana(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, 'ァ'..='ヺ' | 'ー'))
}

fn is_hiragana(text: &str) -> bool {
    text.chars().all(|c| matches!(c, 'ぁ'..='ゖ'))
}

fn is_katakana_name(text: &str) -> bool {
    text.contains('・') && is_katakana(&text.replace('・', ""))
}

fn ends_as_place(surface: &str) -> bool {
    surface.ends_with([
        '島', '山', '川', '湖', '岬', '灘', '湾', '峠', '滝', '州', '県', '市', '町', '村', '区', '郡', '駅', '港',
        '城', '寺',
    ])
}

/// Continents, oceans and world regions stand above the level of places; so does Japan itself.
fn is_region_above_places(surface: &str) -> bool {
    const REGIONS: [&str; 36] = [
        "アジア",
        "ヨーロッパ",
        "欧州",
        "アフリカ",
        "北米",
        "南米",
        "中南米",
        "オセアニア",
        "北アメリカ",
        "南アメリカ",
        "東南アジア",
        "東アジア",
        "中東",
        "太平洋",
        "大西洋",
        "インド洋",
        "日本海",
        "地中海",
        "西欧",
        "東欧",
        "北欧",
        "南欧",
        "中央アジア",
        "南アジア",
        "アメリカ",
        "米国",
        "台湾",
        "香港",
        "日本",
        "全国",
        "本州",
        "列島",
        "西洋",
        "東洋",
        "世界",
        "日本列島",
    ];
    REGIONS.contains(&surface)
}

/// Bodies of which every town has one.
fn is_generic_body(name: &str) -> bool {
    const GENERIC: [&str; 16] = [
        "地域包括支援センター",
        "社会福祉協議会",
        "教育委員会",
        "農業協同組合",
        "商工会議所",
        "実行委員会",
        "消防本部",
        "国公立大学",
        "独立行政法人",
        "一般社団法人",
        "公益財団法人",
        "特定非営利活動法人",
        "地方自治体",
        "民間企業",
        "公的研究機関",
        "専門学校",
    ];
    GENERIC.contains(&name)
}

/// MX-3, ALOS-4: two or more letters, then a number; not COVID-19, 5G, PM2.5 and other terms.
fn is_model_number(text: &str) -> bool {
    const TERMS: [&str; 16] = [
        "COVID-19", "PM2.5", "H5N1", "CO2", "G7", "G20", "G8", "MP3", "MP4", "USB3", "Web3", "Web2", "ISO9001", "IPv6",
        "IPv4", "TOP10",
    ];
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = text[letters..].strip_prefix('-').unwrap_or(&text[letters..]);
    (1..=5).contains(&letters)
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && text[letters..].starts_with('-')
        && rest.chars().all(|c| c.is_ascii_alphanumeric())
        && !TERMS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let passage = Passage::new(text);
        names(&passage)
            .iter()
            .map(|name| format!("{}/{}", &passage.text[name.range.clone()], name.kind.name()))
            .collect()
    }

    #[test]
    fn names_are_found_with_their_kind() {
        for (text, expected) in [
            ("研究を率いたのは榎森陽介特任准教授らです。", &["榎森陽介特任准教授/person"][..]),
            ("副理事長の小栗原まさみさんによれば", &["小栗原まさみさん/person"]),
            ("頭取は鷲尾谷恒雄頭取だ", &["鷲尾谷恒雄頭取/person"]),
            ("主将の浦田凪斗さんが選ばれ", &["浦田凪斗さん/person"]),
            ("学生のグエン・ティ・リエンさんは", &["グエン・ティ・リエンさん/person"]),
            ("社長の大場亮一は", &["大場亮一/person"]),
            ("常連客の宮下さんも", &["宮下さん/person"]),
            ("主将の工藤ひなたさん(3年)は", &["工藤ひなたさん/person"]),
            ("蓮野瀬 樹里教授が", &["蓮野瀬 樹里教授/person"]),
            ("三重県の灯台", &["三重県/place"]),
            ("岐阜県多治見市で", &["岐阜県多治見市/place"]),
            ("波照間島を回り", &["波照間島/place"]),
            ("仏生山の4地区", &["仏生山/place"]),
            ("九州大学の研究室", &["九州大学/organization"]),
            ("西日本半導体教育振興協会のまとめた", &["西日本半導体教育振興協会/organization"]),
            ("先端エネルギー材料研究センターの", &["先端エネルギー材料研究センター/organization"]),
            ("経済産業省は", &["経済産業省/organization"]),
            ("消防組織法に基づき", &["消防組織法/name"]),
            (
                "研究の成果は国際誌Apiary Robotics Lettersに掲載されました。くわしくは論文をご覧ください。",
                &["Apiary Robotics Letters/name"],
            ),
            ("新型のMX-3を", &["MX-3/name"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn common_nouns_are_no_names() {
        for text in [
            "組合さんが",
            "お客さんに",
            "職員さんも",
            "みなさん",
            "各大学の研究者",
            "地元の学校",
            "治療法が",
            "日本の大学",
            "アジアの国々",
            "AIを使う",
            "研究チームは",
            "運転手さんの手間",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
