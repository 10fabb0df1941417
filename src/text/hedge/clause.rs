//! Where the clauses of a sentence begin, found once for all hedges in it, and what lies in quotation brackets.

/// Where clauses begin that stand apart from what a sentence says before them.
pub(super) struct Clauses {
    /// From where on a clause counts, and where it begins; in order, and each beginning the last one so far.
    starts: Vec<(usize, usize)>,
}

impl Clauses {
    pub(super) fn of(sentence: &str, depths: &Depths) -> Self {
        let mut starts = closed(sentence, depths);
        starts.extend(after_statements(sentence, depths));
        starts.extend(before_other_times(sentence, depths));
        starts.sort_unstable();
        let mut last = 0;
        for (_, start) in &mut starts {
            last = last.max(*start);
            *start = last;
        }
        Self { starts }
    }

    /// Where the clauses begin that a predicate at `at` closes: after the last clause before it that stands for itself.
    pub(super) fn start_before(&self, at: usize) -> usize {
        let n = self.starts.partition_point(|(from, _)| *from <= at);
        n.checked_sub(1).map_or(0, |last| self.starts[last].1)
    }
}

/// Behind a clause that is asserted whatever follows.
fn closed(sentence: &str, depths: &Depths) -> Vec<(usize, usize)> {
    const CLOSED: [&str; 22] = [
        "ましたが、",
        "ですが、",
        "ますが、",
        "でしたが、",
        "だが、",
        "たが、",
        "るが、",
        "いが、",
        "ものの、",
        "ましたので、",
        "ますので、",
        "たため、",
        "たので、",
        "ました。",
        "ました、",
        "ており、",
        "ていて、",
        "おり、",
        "ますし、",
        "ましたし、",
        "たうえで、",
        "一方、",
    ];
    let ends = CLOSED.iter().flat_map(|end| sentence.match_indices(end)).filter(|(at, _)| depths.at(*at) == 0);
    ends.map(|(at, end)| (at + end.len(), at + end.len())).collect()
}

/// Behind 開幕は5日で、来場者は…: a noun told of one topic stands for itself when another topic follows.
fn after_statements(sentence: &str, depths: &Depths) -> Vec<(usize, usize)> {
    let is_noun = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '\u{4E00}'..='\u{9FFF}' | 'ァ'..='ヺ' | 'ー' | '%' | '」' | ')')
    };
    let topics: Vec<usize> = sentence.match_indices(['は', 'が', 'も']).map(|(at, topic)| at + topic.len()).collect();
    let is_told = |at: usize| {
        let before = &sentence[..at];
        before.ends_with(is_noun) && before.rsplit('、').next().is_some_and(|clause| clause.contains('は'))
    };
    let ends = sentence.match_indices("で、").filter(|(at, _)| depths.at(*at) == 0 && is_told(*at));
    let next_topic = |at: usize| topics.get(topics.partition_point(|end| *end <= at)).copied();
    ends.filter_map(|(at, end)| Some((next_topic(at)?, at + end.len()))).collect()
}

/// Before 、来年は: another time begins, and the guess is about that.
fn before_other_times(sentence: &str, depths: &Depths) -> Vec<(usize, usize)> {
    const TIMES: [&str; 9] = [
        "、来年は",
        "、来年も",
        "、今後は",
        "、今後も",
        "、次回は",
        "、これからは",
        "、これからも",
        "、将来は",
        "、やがては",
    ];
    let times = TIMES.iter().flat_map(|time| sentence.match_indices(time)).filter(|(at, _)| depths.at(*at) == 0);
    times.map(|(at, time)| (at + time.len(), at + '、'.len_utf8())).collect()
}

/// How deep in quotation brackets each byte of a sentence lies.
pub(super) struct Depths {
    opened: Vec<usize>,
    closed: Vec<usize>,
}

impl Depths {
    pub(super) fn of(sentence: &str) -> Self {
        let places = |brackets: [char; 2]| sentence.match_indices(brackets).map(|(at, _)| at).collect();
        Self { opened: places(['「', '『']), closed: places(['」', '』']) }
    }

    pub(super) fn at(&self, at: usize) -> usize {
        let before = |places: &[usize]| places.partition_point(|place| *place < at);
        before(&self.opened).saturating_sub(before(&self.closed))
    }
}
