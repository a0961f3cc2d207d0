//! Finding: clauses against the segments of the index.
//!
//! Records are counted by whole postings, clause by clause, the rarest first; no scores of the library are used. A clause's
//! terms are all of one or two fields, and what counts is the best of them. Memory: a byte for each record of the largest
//! segment, and eight for each candidate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::columnar::{Column, StrColumn};
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term};

use super::index::{Fields, ID, OBJECT, OWNER, TEAM};
use super::query::{Clause, Fit, Typed, readings};
use super::tokens::Space;
use super::{Hit, Query, Reach, SearchError};

/// Hits beyond are not found: nobody turns so many pages, and memory has a limit.
const MOST_HITS: usize = 1_000;
/// A word without errors outweighs any number of better places of words with errors.
const WITHOUT_ERROR: u32 = 1_000;
/// In partial matches a word weighs by how rare it is; how it fits only breaks ties.
const RARITY: u32 = 1_000;

/// A record, so ordered that the greater one comes first: by score, then the newest, then the object asked for first.
type Found = (u32, i64, Reverse<usize>);

/// What is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Nothing.
    Plain,
    /// Typing errors.
    Forgiving,
    /// Typing errors, and if still no record has all the words, that it has only some.
    Partial,
}

/// Answers `query` from what `searcher` sees.
pub(super) fn find(searcher: &Searcher, fields: Fields, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
    let wanted = query.offset.saturating_add(query.limit).min(MOST_HITS);
    let readings = readings(query.text);
    let mut search = Search { searcher, fields, query, wanted, found: Vec::new() };
    for (at, reading) in readings.iter().enumerate() {
        search.pass(&reading.clauses, Pass::Plain)?;
        let last = at + 1 == readings.len();
        if search.found.is_empty() && last && reading.clauses.len() > 1 {
            search.pass(&reading.clauses, Pass::Partial)?;
        } else if search.is_wanting(reading.sure) && reading.clauses.iter().any(|clause| clause.typed.is_some()) {
            search.pass(&reading.clauses, Pass::Forgiving)?;
        }
        if !search.is_wanting(reading.sure) {
            break;
        }
    }
    Ok(search.hits())
}

struct Search<'a> {
    searcher: &'a Searcher,
    fields: Fields,
    query: &'a Query<'a>,
    wanted: usize,
    /// What all passes have found, best first. A later pass has nothing better than an earlier one.
    found: Vec<Found>,
}

impl Search<'_> {
    fn is_wanting(&self, sure: bool) -> bool {
        self.found.len() < self.wanted && (self.found.is_empty() || !sure)
    }

    fn hits(&self) -> Vec<Hit> {
        let page = self.found.iter().skip(self.query.offset).take(self.query.limit);
        page.map(|&(score, id, Reverse(object))| Hit { object: self.query.objects[object].0.to_owned(), id, score })
            .collect()
    }

    /// Adds what the pass finds and an earlier one has not.
    fn pass(&mut self, clauses: &[Clause], pass: Pass) -> Result<(), SearchError> {
        let segments = self
            .searcher
            .segment_readers()
            .iter()
            .map(|reader| Segment::new(reader, self.fields, clauses, pass))
            .collect::<Result<Vec<_>, _>>()?;
        let mut best = self.best(&segments, |segment| segment.all(clauses))?;
        if pass == Pass::Partial && best.is_empty() {
            let weights = rarities(&segments, self.searcher.num_docs(), clauses.len())?;
            best = self.best(&segments, |segment| segment.any(&weights))?;
        }
        for found in best {
            if self.found.len() < self.wanted
                && !self.found.iter().any(|known| (known.1, known.2) == (found.1, found.2))
            {
                self.found.push(found);
            }
        }
        Ok(())
    }

    /// The best of the candidates of all segments that the reader may see, best first.
    fn best(
        &self,
        segments: &[Segment<'_>],
        candidates: impl Fn(&Segment<'_>) -> Result<Vec<(DocId, u32)>, SearchError>,
    ) -> Result<Vec<Found>, SearchError> {
        let mut best = BinaryHeap::new();
        for segment in segments {
            let candidates = candidates(segment)?;
            if !candidates.is_empty() {
                let rows = Rows::open(segment.reader, self.query)?;
                // Later rows tend to have higher ids, which come first: from the end the heap is soon as good as it gets.
                for &(doc, score) in candidates.iter().rev() {
                    keep(&mut best, self.wanted, doc, score, &rows);
                }
            }
        }
        let mut best: Vec<Found> = best.into_iter().map(|Reverse(found)| found).collect();
        best.sort_unstable_by(|a, b| b.cmp(a));
        Ok(best)
    }
}

/// Puts a record among the best, if it is one of them and the reader may see it.
fn keep(best: &mut BinaryHeap<Reverse<Found>>, wanted: usize, doc: DocId, score: u32, rows: &Rows<'_>) {
    let worst = best.peek().filter(|_| best.len() >= wanted).map(|Reverse(worst)| *worst);
    if wanted == 0 || worst.is_some_and(|worst| score < worst.0) {
        return;
    }
    // The id is one column to read, who may see the row is up to three.
    let id = rows.id(doc);
    if worst.is_some_and(|worst| (score, id) < (worst.0, worst.1)) {
        return;
    }
    let Some(object) = rows.visible(doc) else { return };
    let found = (score, id, Reverse(object));
    if worst.is_some_and(|worst| found <= worst) {
        return;
    }
    if worst.is_some() {
        best.pop();
    }
    best.push(Reverse(found));
}

/// A segment with what the clauses mean in it.
struct Segment<'a> {
    reader: &'a SegmentReader,
    indexes: [std::sync::Arc<InvertedIndexReader>; 2],
    clauses: Vec<Vec<Match>>,
}

/// A term that a clause means: what it is worth, its field, and where its postings are.
struct Match {
    grade: u8,
    field: usize,
    term: TermInfo,
}

/// What a fit is worth in the title (field 0) or another text: from 1, or 5 if it has no error, to 8.
fn grade(fit: Fit, field: usize) -> u8 {
    let fit = match fit {
        Fit::Exact => 7,
        Fit::Part => 5,
        Fit::OneError => 3,
        Fit::TwoErrors => 1,
    };
    fit + u8::from(field == 0)
}

fn points(grade: u8) -> u32 {
    u32::from(grade) + if grade > 4 { WITHOUT_ERROR } else { 0 }
}

impl<'a> Segment<'a> {
    fn new(reader: &'a SegmentReader, fields: Fields, clauses: &[Clause], pass: Pass) -> Result<Self, SearchError> {
        let indexes = [reader.inverted_index(fields.title)?, reader.inverted_index(fields.texts)?];
        let mut matches = Vec::with_capacity(clauses.len());
        for clause in clauses {
            let mut terms = Vec::new();
            for (field, index) in indexes.iter().enumerate() {
                look_up(index, clause, field, &mut terms)?;
                if let Some(typed) = clause.typed.as_ref().filter(|_| pass != Pass::Plain) {
                    forgive(index, fields, typed, field, &mut terms)?;
                }
            }
            matches.push(terms);
        }
        Ok(Self { reader, indexes, clauses: matches })
    }

    fn postings(&self, found: &Match) -> Result<SegmentPostings, SearchError> {
        let index = &self.indexes[found.field];
        Ok(index.read_postings_from_terminfo(&found.term, IndexRecordOption::Basic)?)
    }

    /// For each record the best grade of a clause, 0 where it does not hold.
    fn grades(&self, clause: usize) -> Result<Vec<u8>, SearchError> {
        let mut grades = vec![0; self.reader.max_doc() as usize];
        for found in &self.clauses[clause] {
            let mut postings = self.postings(found)?;
            let mut doc = postings.doc();
            while doc != TERMINATED {
                let grade = &mut grades[doc as usize];
                *grade = found.grade.max(*grade);
                doc = postings.advance();
            }
        }
        Ok(grades)
    }

    fn is_alive(&self, doc: DocId) -> bool {
        !self.reader.is_deleted(doc)
    }

    /// The records of which all clauses hold, ascending, with their scores.
    fn all(&self, clauses: &[Clause]) -> Result<Vec<(DocId, u32)>, SearchError> {
        let size = |at: &usize| self.clauses[*at].iter().map(|found| u64::from(found.term.doc_freq)).sum::<u64>();
        let mut order: Vec<usize> = (0..clauses.len()).collect();
        order.sort_by_key(|at| (clauses[*at].optional, size(at)));
        if order.iter().any(|at| !clauses[*at].optional && self.clauses[*at].is_empty()) {
            return Ok(Vec::new());
        }
        let mut candidates = Vec::new();
        for (turn, &at) in order.iter().enumerate() {
            if turn == 0 {
                candidates.extend(
                    (0..)
                        .zip(self.grades(at)?)
                        .filter(|(doc, grade)| *grade > 0 && self.is_alive(*doc))
                        .map(|(doc, grade)| (doc, points(grade))),
                );
                continue;
            }
            let grades = self.grades_of(at, &candidates)?;
            let optional = clauses[at].optional;
            let mut grades = grades.into_iter();
            candidates.retain_mut(|(_, score)| {
                let grade = grades.next().unwrap_or(0);
                *score += if grade > 0 { points(grade) } else { 0 };
                grade > 0 || optional
            });
            if candidates.is_empty() {
                break;
            }
        }
        Ok(candidates)
    }

    /// The best grade of a clause for each candidate, by whichever of both lists is ahead leaping to the other.
    fn grades_of(&self, clause: usize, candidates: &[(DocId, u32)]) -> Result<Vec<u8>, SearchError> {
        let mut grades = vec![0; candidates.len()];
        for found in &self.clauses[clause] {
            let mut postings = self.postings(found)?;
            let (mut at, mut doc) = (0, postings.doc());
            while doc != TERMINATED && at < candidates.len() {
                let candidate = candidates[at].0;
                match candidate.cmp(&doc) {
                    std::cmp::Ordering::Less => at += ahead(&candidates[at..], doc),
                    std::cmp::Ordering::Equal => {
                        grades[at] = found.grade.max(grades[at]);
                        at += 1;
                        doc = postings.advance();
                    }
                    std::cmp::Ordering::Greater => doc = postings.seek(candidate),
                }
            }
        }
        Ok(grades)
    }

    /// The records of which any clause holds, ascending, scored by the weights of those that do.
    fn any(&self, weights: &[u32]) -> Result<Vec<(DocId, u32)>, SearchError> {
        let mut scores = vec![0_u32; self.reader.max_doc() as usize];
        for (clause, weight) in weights.iter().enumerate() {
            for (score, grade) in scores.iter_mut().zip(self.grades(clause)?) {
                *score += if grade > 0 { weight * RARITY + u32::from(grade) } else { 0 };
            }
        }
        Ok((0..).zip(scores).filter(|(doc, score)| *score > 0 && self.is_alive(*doc)).collect())
    }
}

/// How many candidates come before `doc`; doubling steps, as most are close.
fn ahead(candidates: &[(DocId, u32)], doc: DocId) -> usize {
    let mut reach = 1;
    while candidates.get(reach).is_some_and(|candidate| candidate.0 < doc) {
        reach *= 2;
    }
    let upto = candidates.len().min(reach + 1);
    reach / 2 + candidates[reach / 2..upto].partition_point(|candidate| candidate.0 < doc)
}

/// What each clause weighs in a partial match: one, and one more for each halving of the records that hold it.
fn rarities(segments: &[Segment<'_>], records: u64, clauses: usize) -> Result<Vec<u32>, SearchError> {
    let mut weights = Vec::with_capacity(clauses);
    for clause in 0..clauses {
        let mut holding = 0;
        for segment in segments {
            let grades = (0..).zip(segment.grades(clause)?);
            holding += grades.filter(|(doc, grade)| *grade > 0 && segment.is_alive(*doc)).count() as u64;
        }
        weights.push(1 + (records / holding.max(1)).max(1).ilog2());
    }
    Ok(weights)
}

/// Adds the terms that a clause means as it stands.
fn look_up(
    index: &InvertedIndexReader,
    clause: &Clause,
    field: usize,
    into: &mut Vec<Match>,
) -> Result<(), SearchError> {
    let terms = index.terms();
    for form in &clause.forms {
        let grade = grade(form.fit, field);
        if form.open {
            let mut stream = terms.range().ge(&form.term).lt(after(&form.term)).without_keys().into_stream()?;
            while stream.advance() {
                into.push(Match { grade, field, term: stream.value().clone() });
            }
        } else if let Some(term) = terms.get(&form.term)? {
            into.push(Match { grade, field, term });
        }
    }
    Ok(())
}

/// The least bytes that are greater than all that begin with `prefix`. Text has no byte of 255.
fn after(prefix: &str) -> Vec<u8> {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    bytes
}

/// Adds the terms that a word may have been meant as: Levenshtein distance with neighbours swapped counted as one error, by an
/// automaton over the dictionary (Schulz and Mihov, 2002). One error may be anywhere; where there are two the first letter is
/// right, or most of the dictionary would have to be walked.
fn forgive(
    index: &InvertedIndexReader,
    fields: Fields,
    typed: &Typed,
    field: usize,
    into: &mut Vec<Match>,
) -> Result<(), SearchError> {
    let marker = if typed.term.starts_with(Space::Address.marker()) { Space::Address.marker() } else { "" };
    let first = typed.term.chars().nth(marker.chars().count());
    for errors in 1..=typed.errors {
        let word = Term::from_field_text(fields.title, &typed.term);
        let automaton = FuzzyTermQuery::new(word, errors, true).automaton()?;
        let walk = index.terms().search(automaton);
        let start: String = marker.chars().chain(first.filter(|_| errors > 1)).collect();
        let walk = if start.is_empty() { walk } else { walk.ge(&start).lt(after(&start)) };
        let mut stream = walk.into_stream()?;
        while stream.advance() {
            let Ok(term) = std::str::from_utf8(stream.key()) else { continue };
            let same_space = !term[marker.len()..].starts_with(char::is_control);
            if same_space && digits(term).eq(digits(&typed.term)) {
                let near = errors == 1 || strsim::osa_distance(term, &typed.term) < 2;
                let fit = if near { Fit::OneError } else { Fit::TwoErrors };
                into.push(Match { grade: grade(fit, field), field, term: stream.value().clone() });
            }
        }
    }
    Ok(())
}

fn digits(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_numeric())
}

/// The columns of a segment: what a row is, and who may see it.
struct Rows<'a> {
    ids: Column<i64>,
    objects: Option<StrColumn>,
    owners: Option<Column<i64>>,
    teams: Option<Column<i64>>,
    /// For each object of the segment, where the query names it and what the reader may see of it.
    reaches: Vec<Option<(usize, &'a Reach)>>,
}

impl<'a> Rows<'a> {
    fn open(reader: &SegmentReader, query: &'a Query<'a>) -> Result<Self, SearchError> {
        let columns = reader.fast_fields();
        let objects = columns.str(OBJECT)?;
        let mut reaches = Vec::new();
        if let Some(objects) = &objects {
            let mut name = String::new();
            for object in 0..objects.num_terms() as u64 {
                name.clear();
                objects.ord_to_str(object, &mut name)?;
                let named = query.objects.iter().enumerate().find(|(_, (asked, _))| *asked == name);
                reaches.push(named.map(|(at, (_, reach))| (at, reach)));
            }
        }
        Ok(Self {
            ids: columns.i64(ID)?,
            objects,
            owners: columns.column_opt(OWNER)?,
            teams: columns.column_opt(TEAM)?,
            reaches,
        })
    }

    fn id(&self, doc: DocId) -> i64 {
        self.ids.first(doc).unwrap_or_default()
    }

    /// Which of the query's objects the row is of, if it is of one and the reader may see it.
    fn visible(&self, doc: DocId) -> Option<usize> {
        let object = self.objects.as_ref()?.ords().first(doc)?;
        let (at, reach) = (*self.reaches.get(object as usize)?)?;
        let owned = |user: i64| value(self.owners.as_ref(), doc) == Some(user);
        let sees = match reach {
            Reach::All => true,
            Reach::Own { user } => owned(*user),
            Reach::Team { user, teams } => {
                owned(*user) || value(self.teams.as_ref(), doc).is_some_and(|team| teams.contains(&team))
            }
        };
        sees.then_some(at)
    }
}

fn value(column: Option<&Column<i64>>, doc: DocId) -> Option<i64> {
    column.and_then(|column| column.first(doc))
}
