//! Parts of speech, as far as the scorers tell them apart (after IPADIC's hierarchy).

/// A part of speech with the form of inflected words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// The part of speech.
    pub pos: Pos,
    /// The inflected form.
    pub form: Form,
    /// How the word inflects, as far as it matters.
    pub inflection: Inflection,
}

/// Parts of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pos {
    /// 名詞,一般
    Noun,
    /// 名詞,サ変接続: becomes a verb with する.
    VerbalNoun,
    /// 名詞,形容動詞語幹
    AdjectivalNoun,
    /// 名詞,ナイ形容詞語幹
    NaiStem,
    /// 名詞,副詞可能: 今日, 多数, ….
    AdverbialNoun,
    /// 名詞,固有名詞,人名,姓
    FamilyName,
    /// 名詞,固有名詞,人名,名
    GivenName,
    /// 名詞,固有名詞,人名,一般
    PersonName,
    /// 名詞,固有名詞,地域,一般
    PlaceName,
    /// 名詞,固有名詞,地域,国
    CountryName,
    /// 名詞,固有名詞,組織
    OrganizationName,
    /// 名詞,固有名詞,一般
    ProperNoun,
    /// 名詞,数
    Numeral,
    /// 名詞,代名詞
    Pronoun,
    /// 名詞,非自立: こと, もの, ため, ….
    DependentNoun,
    /// 名詞,接尾,人名: 氏, さん, ….
    PersonSuffix,
    /// 名詞,接尾,地域: 州, 県, ….
    PlaceSuffix,
    /// 名詞,接尾,助数詞: counters.
    Counter,
    /// 名詞,接尾,副詞可能: 後, 中, ….
    AdverbialSuffix,
    /// Other 名詞,接尾.
    NounSuffix,
    /// 接頭詞,数接続: 約, 第, ….
    NumberPrefix,
    /// Other 接頭詞.
    Prefix,
    /// 動詞,自立
    Verb,
    /// 動詞,非自立 and 動詞,接尾.
    DependentVerb,
    /// 形容詞
    Adjective,
    /// 副詞
    Adverb,
    /// 連体詞
    Adnominal,
    /// 接続詞
    Conjunction,
    /// 助詞,格助詞
    CaseParticle,
    /// 助詞,係助詞
    TopicParticle,
    /// 助詞,接続助詞
    ConjunctiveParticle,
    /// 助詞,並立助詞, 副助詞 and the like.
    Particle,
    /// 助詞,終助詞
    FinalParticle,
    /// 助詞,連体化: の.
    AdnominalParticle,
    /// 助動詞
    Auxiliary,
    /// 感動詞, フィラー
    Interjection,
    /// 記号
    Symbol,
    /// Whatever else.
    Other,
}

/// Inflected forms, as far as they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Not inflected.
    None,
    /// 基本形
    Basic,
    /// 連用形 of every kind.
    Continuative,
    /// 未然形 of every kind.
    Irrealis,
    /// 仮定形
    Conditional,
    /// 命令形
    Imperative,
    /// 体言接続
    Attributive,
    /// Other forms.
    Other,
}

/// Ways of inflection that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inflection {
    /// 特殊・デス
    Desu,
    /// 特殊・マス
    Masu,
    /// 特殊・ダ
    Da,
    /// 特殊・タ
    Ta,
    /// Any other, or none.
    Other,
}

impl Tag {
    /// Reads `pos1,pos2,pos3,pos4,inflection,form`.
    pub(super) fn parse(line: &str) -> Self {
        let mut parts = line.split(',');
        let mut part = || parts.next().unwrap_or_default();
        let (first, second, third, fourth) = (part(), part(), part(), part());
        let inflection = match part() {
            "特殊・デス" => Inflection::Desu,
            "特殊・マス" => Inflection::Masu,
            "特殊・ダ" => Inflection::Da,
            "特殊・タ" => Inflection::Ta,
            _ => Inflection::Other,
        };
        let form = match part() {
            "*" | "" => Form::None,
            "基本形" => Form::Basic,
            form if form.starts_with("連用") => Form::Continuative,
            form if form.starts_with("未然") => Form::Irrealis,
            form if form.starts_with("仮定") => Form::Conditional,
            form if form.starts_with("命令") => Form::Imperative,
            form if form.starts_with("体言接続") => Form::Attributive,
            _ => Form::Other,
        };
        Self { pos: Pos::parse(first, second, third, fourth), form, inflection }
    }
}

impl Pos {
    fn parse(first: &str, second: &str, third: &str, fourth: &str) -> Self {
        match (first, second, third, fourth) {
            ("名詞", "サ変接続", ..) => Self::VerbalNoun,
            ("名詞", "形容動詞語幹", ..) => Self::AdjectivalNoun,
            ("名詞", "ナイ形容詞語幹", ..) => Self::NaiStem,
            ("名詞", "副詞可能", ..) => Self::AdverbialNoun,
            ("名詞", "固有名詞", "人名", "姓") => Self::FamilyName,
            ("名詞", "固有名詞", "人名", "名") => Self::GivenName,
            ("名詞", "固有名詞", "人名", _) => Self::PersonName,
            ("名詞", "固有名詞", "地域", "国") => Self::CountryName,
            ("名詞", "固有名詞", "地域", _) => Self::PlaceName,
            ("名詞", "固有名詞", "組織", _) => Self::OrganizationName,
            ("名詞", "固有名詞", ..) => Self::ProperNoun,
            ("名詞", "数", ..) => Self::Numeral,
            ("名詞", "代名詞", ..) => Self::Pronoun,
            ("名詞", "非自立" | "特殊", ..) => Self::DependentNoun,
            ("名詞", "接尾", "人名", _) => Self::PersonSuffix,
            ("名詞", "接尾", "地域", _) => Self::PlaceSuffix,
            ("名詞", "接尾", "助数詞", _) => Self::Counter,
            ("名詞", "接尾", "副詞可能", _) => Self::AdverbialSuffix,
            ("名詞", "接尾", ..) => Self::NounSuffix,
            ("名詞", ..) => Self::Noun,
            ("接頭詞", "数接続", ..) => Self::NumberPrefix,
            ("接頭詞", ..) => Self::Prefix,
            ("動詞", "自立", ..) => Self::Verb,
            ("動詞", ..) => Self::DependentVerb,
            ("形容詞", ..) => Self::Adjective,
            ("副詞", ..) => Self::Adverb,
            ("連体詞", ..) => Self::Adnominal,
            ("接続詞", ..) => Self::Conjunction,
            ("助詞", "格助詞", ..) => Self::CaseParticle,
            ("助詞", "係助詞", ..) => Self::TopicParticle,
            ("助詞", "接続助詞", ..) => Self::ConjunctiveParticle,
            ("助詞", "終助詞", ..) => Self::FinalParticle,
            ("助詞", "連体化", ..) => Self::AdnominalParticle,
            ("助詞", ..) => Self::Particle,
            ("助動詞", ..) => Self::Auxiliary,
            ("感動詞" | "フィラー", ..) => Self::Interjection,
            ("記号", ..) => Self::Symbol,
            _ => Self::Other,
        }
    }

    /// Whether it is a noun of any kind, suffixes included.
    pub const fn is_nominal(self) -> bool {
        matches!(
            self,
            Self::Noun
                | Self::VerbalNoun
                | Self::AdjectivalNoun
                | Self::NaiStem
                | Self::AdverbialNoun
                | Self::Numeral
                | Self::Pronoun
                | Self::DependentNoun
                | Self::PersonSuffix
                | Self::PlaceSuffix
                | Self::Counter
                | Self::AdverbialSuffix
                | Self::NounSuffix
        ) || self.is_proper()
    }

    /// Whether it is a proper noun of any kind.
    pub const fn is_proper(self) -> bool {
        matches!(
            self,
            Self::FamilyName
                | Self::GivenName
                | Self::PersonName
                | Self::PlaceName
                | Self::CountryName
                | Self::OrganizationName
                | Self::ProperNoun
        )
    }

    /// Whether it is a particle of any kind.
    pub const fn is_particle(self) -> bool {
        matches!(
            self,
            Self::CaseParticle
                | Self::TopicParticle
                | Self::ConjunctiveParticle
                | Self::Particle
                | Self::FinalParticle
                | Self::AdnominalParticle
        )
    }
}
