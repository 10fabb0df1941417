//! A CSV file of a run, by its columns' names.

use std::path::Path;

/// A file's rows.
#[derive(Debug)]
pub(crate) struct Csv {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Csv {
    /// Reads a file; a byte-order mark is skipped.
    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Reads a text; a byte-order mark is skipped.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{FEFF}');
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let cells = |record: &::csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<String>>();
        let columns = cells(reader.headers().unwrap());
        Self { columns, rows: reader.records().map(|record| cells(&record.unwrap())).collect() }
    }

    /// The cells of a column.
    #[track_caller]
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        let at = self.columns.iter().position(|column| column == name);
        let at = at.unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns));
        self.rows.iter().map(|row| row[at].as_str()).collect()
    }

    /// The cells of some columns, row by row, parted by `|`.
    #[track_caller]
    pub(crate) fn cells(&self, names: &[&str]) -> Vec<String> {
        let columns: Vec<Vec<&str>> = names.iter().map(|name| self.column(name)).collect();
        (0..self.rows.len()).map(|n| columns.iter().map(|column| column[n]).collect::<Vec<_>>().join("|")).collect()
    }

    /// The rows without some columns.
    pub(crate) fn without(&self, names: &[&str]) -> Vec<Vec<&str>> {
        let is_kept = |column: &String| !names.contains(&column.as_str());
        let kept: Vec<usize> = (0..self.columns.len()).filter(|n| is_kept(&self.columns[*n])).collect();
        self.rows.iter().map(|row| kept.iter().map(|n| row[*n].as_str()).collect()).collect()
    }
}
