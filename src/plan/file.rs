//! Plans on disk: `plans/<name>.json` tells what it comes to, `plans/<name>.lines` has one line of
//! JSON for each object. Only the owner reads them: they hold names and telephone numbers.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::line::{Group, Line, Naming, Need, Tally};
use crate::base::limits::{PLAN_LINES_MAX, PLANS_KEPT_MAX};
use crate::base::{Message, Position, Slug, Timestamp};
use crate::connector::SinkSpec;
use crate::tables::TableError;

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name: a fingerprint over the sink and every line.
    pub plan: String,
    /// The sink.
    pub sink: Slug,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the sink was looked into for what would be created.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
    /// Up to where the journal was applied when it was begun.
    pub position: Position,
    /// Lines by kind and action.
    pub groups: Vec<Group>,
    /// Lines that an application lets go.
    pub goes: u64,
    /// Lines behind the bound: they wait for the next plan.
    pub beyond: u64,
    /// What it needs of the quota.
    pub need: Need,
}

/// Why a plan cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A row does not read, or the store failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The folder or a file fails; says what to do.
    #[error("{0}")]
    File(Message),
    /// There is no such plan.
    #[error("{0}")]
    Unknown(Message),
}

/// The folder of plans.
#[derive(Debug, Clone)]
pub struct Plans {
    root: PathBuf,
}

/// A plan being written.
pub struct Writing {
    root: PathBuf,
    sink: Slug,
    lines: BufWriter<File>,
    begun: PathBuf,
    looked_at: Option<Timestamp>,
    naming: Naming,
    tally: Tally,
    goes: u64,
    beyond: u64,
}

impl Plans {
    /// In this folder; nothing is read or made.
    pub fn new(root: PathBuf) -> Plans {
        Plans { root }
    }

    /// Begins a plan.
    pub fn begin(&self, sink: &Slug) -> Result<Writing, PlanError> {
        self.begin_as(sink, None)
    }

    /// Begins a plan for which the sink was looked into.
    pub fn begin_looked(&self, sink: &Slug, at: Timestamp) -> Result<Writing, PlanError> {
        self.begin_as(sink, Some(at))
    }

    fn begin_as(&self, sink: &Slug, looked_at: Option<Timestamp>) -> Result<Writing, PlanError> {
        // Several plans of one sink may be written at one time. What a killed process left behind is
        // written over by the next one, which counts from the start too.
        static BEGUN: AtomicU64 = AtomicU64::new(0);
        let begun = self.root.join(format!("{sink}.{}.begun", BEGUN.fetch_add(1, Ordering::Relaxed)));
        let opened = fs::create_dir_all(&self.root).and_then(|()| create(&begun));
        Ok(Writing {
            root: self.root.clone(),
            sink: sink.clone(),
            lines: BufWriter::new(opened.map_err(|error| failed(&begun, &error))?),
            begun,
            looked_at,
            naming: Naming::new(sink),
            tally: Tally::default(),
            goes: 0,
            beyond: 0,
        })
    }

    /// The plan of this name, or of the only one that begins so; also the path of its file.
    pub fn find(&self, name: &str) -> Result<Plan, PlanError> {
        let stem = Path::new(name).file_stem().and_then(|it| it.to_str()).unwrap_or(name);
        let mut found = self.all()?;
        found.retain(|plan| plan.plan.starts_with(stem));
        match found.len() {
            1 if stem.len() >= 4 => Ok(found.remove(0)),
            0 | 1 => Err(PlanError::Unknown(Message::new("plan-unknown").with("plan", name))),
            count => Err(PlanError::Unknown(Message::new("plan-several").with("plan", name).with("count", count))),
        }
    }

    /// Every plan, the newest first.
    pub fn all(&self) -> Result<Vec<Plan>, PlanError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.root, &error)),
        };
        let mut plans = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| failed(&self.root, &error))?.path();
            if path.extension().is_some_and(|it| it == "json") {
                let text = fs::read(&path).map_err(|error| failed(&path, &error))?;
                plans.push(serde_json::from_slice::<Plan>(&text).map_err(|error| damaged(&path, 1, &error))?);
            }
        }
        plans.sort_by(|a, b| (b.made_at, &b.plan).cmp(&(a.made_at, &a.plan)));
        Ok(plans)
    }

    /// Shows every line of a plan. Stops when `visit` says `false`.
    pub fn lines(&self, plan: &Plan, mut visit: impl FnMut(Line) -> bool) -> Result<(), PlanError> {
        let path = self.lines_file(&plan.plan);
        let file = File::open(&path).map_err(|error| failed(&path, &error))?;
        for (index, text) in BufReader::new(file).lines().enumerate() {
            let text = text.map_err(|error| failed(&path, &error))?;
            let line = serde_json::from_str(&text).map_err(|error| damaged(&path, index + 1, &error))?;
            if !visit(line) {
                break;
            }
        }
        Ok(())
    }

    fn lines_file(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.lines"))
    }

    /// Bound: the oldest plans go.
    fn forget_oldest(&self) -> Result<(), PlanError> {
        for old in self.all()?.into_iter().skip(PLANS_KEPT_MAX) {
            for path in [self.root.join(format!("{}.json", old.plan)), self.lines_file(&old.plan)] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&path, &error)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }
}

impl Writing {
    /// One more line. Bound: lines behind `limits::PLAN_LINES_MAX` that would go are counted and wait
    /// for the next plan.
    pub fn add(&mut self, line: &Line) -> Result<(), PlanError> {
        if line.action.goes() && self.goes == PLAN_LINES_MAX {
            self.beyond += 1;
            return Ok(());
        }
        self.goes += u64::from(line.action.goes());
        self.naming.add(line);
        self.tally.add(line);
        let written = serde_json::to_writer(&mut self.lines, line).map_err(std::io::Error::from);
        written.and_then(|()| self.lines.write_all(b"\n")).map_err(|error| failed(&self.begun, &error))
    }

    /// Ends it: the file of its lines first, then what it comes to.
    pub fn end(self, made_at: Timestamp, position: Position, spec: &SinkSpec) -> Result<Plan, PlanError> {
        let plans = Plans::new(self.root);
        let plan = Plan {
            plan: self.naming.done().to_string(),
            sink: self.sink,
            made_at,
            looked_at: self.looked_at,
            position,
            groups: self.tally.groups(),
            goes: self.goes,
            beyond: self.beyond,
            need: self.tally.need(spec),
        };
        let lines = self.lines.into_inner().map_err(|error| failed(&self.begun, error.error()))?;
        let to = plans.lines_file(&plan.plan);
        let kept = lines.sync_all().and_then(|()| fs::rename(&self.begun, &to));
        kept.map_err(|error| failed(&to, &error))?;
        let begun = &self.begun;
        let to = plans.root.join(format!("{}.json", plan.plan));
        let text = serde_json::to_vec_pretty(&plan).expect("a plan has no map with keys that are no text");
        let kept = create(begun).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(begun, &to)
        });
        kept.map_err(|error| failed(&to, &error))?;
        plans.forget_oldest()?;
        Ok(plan)
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn failed(path: &Path, error: &std::io::Error) -> PlanError {
    PlanError::File(Message::new("plan-file").with("path", path.display()).with("detail", error))
}

fn damaged(path: &Path, line: usize, error: &serde_json::Error) -> PlanError {
    let message = Message::new("plan-damaged").with("path", path.display()).with("line", line);
    PlanError::File(message.with("detail", error))
}
