//! Looks into a sink for what a plan would create: what is there already will be linked and changed,
//! and the plan says so.
//!
//! One look per sink at a time, in the background and in the lower lane; nothing is written there.
//! What was found is kept in a plan of its own, and applying that plan links exactly what it says.
//! A look that is cut short leaves nothing behind.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{info, warn};

use crate::base::limits::{DELIVERY_BATCH_MAX, LOOK_ROUNDS_MAX, LOOK_WAIT_MAX_MS, PUSH_DEADLINE_MS};
use crate::base::{Clock, Locale, Message, Slug, Timestamp};
use crate::catalog::Connection;
use crate::entry::ObjectRef;
use crate::model::Fault;
use crate::plan::{Action, Found, Line, Plan, PlanError, Plans};
use crate::query::Query;
use crate::sink::{Looked, Sink, Work};

/// Makes the sink of a connection, with its secrets.
pub type MakeSink = Box<dyn Fn(&Connection) -> Result<Sink, Message> + Send + Sync>;

/// How far a look is.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Objects to be looked for.
    pub total: u64,
    /// Objects looked for.
    pub done: u64,
    /// Those that are there.
    pub found: u64,
    /// Why it waits.
    pub trouble: Option<Message>,
    /// Its end: the name of the plan, or why there is none.
    pub ended: Option<Result<String, Message>>,
}

/// Looks by sink.
pub struct Looks {
    make: MakeSink,
    all: Mutex<BTreeMap<Slug, Look>>,
}

/// What a look stands on.
#[derive(Clone)]
pub struct LookGround {
    /// Objects are read here.
    pub query: Query,
    /// Plans are kept here.
    pub plans: Plans,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Language of what people read in the sink.
    pub locale: Locale,
}

impl Looks {
    /// None yet.
    pub fn new(make: MakeSink) -> Looks {
        Looks { make, all: Mutex::default() }
    }

    /// How far the newest look into `sink` is.
    pub fn of(&self, sink: &Slug) -> Option<Look> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).get(sink).cloned()
    }

    /// Begins a look, unless one is under way: then that one goes on.
    pub fn begin(self: &Arc<Self>, connection: &Connection, ground: LookGround) -> Result<Look, Message> {
        let sink = (self.make)(connection)?;
        {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(under_way) = all.get(&connection.name).filter(|it| it.ended.is_none()) {
                return Ok(under_way.clone());
            }
            all.insert(connection.name.clone(), Look::default());
        }
        let (looks, connection) = (Arc::clone(self), connection.clone());
        tokio::spawn(async move {
            let name = connection.name.clone();
            let ended = looks.run(&sink, Arc::new(connection), ground).await;
            match &ended {
                Ok(plan) => info!(sink.name = %name, "a look for a plan has ended: {plan}"),
                Err(message) => warn!(sink.name = %name, "a look for a plan was given up: {message}"),
            }
            looks.change(&name, |look| look.ended = Some(ended));
        });
        Ok(Look::default())
    }

    fn change(&self, sink: &Slug, change: impl FnOnce(&mut Look)) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(sink.clone()).or_default());
    }

    async fn run(&self, sink: &Sink, connection: Arc<Connection>, ground: LookGround) -> Result<String, Message> {
        let (plan, lines) = blocking(&connection, &ground, planned).await?;
        let wanted: Vec<ObjectRef> = lines.iter().filter(|it| is_looked_for(it)).map(|it| it.object).collect();
        self.change(&connection.name, |look| look.total = wanted.len() as u64);
        let quiet: HashMap<ObjectRef, bool> = lines.iter().map(|it| (it.object, it.quiet)).collect();
        let mut found = HashMap::new();
        for objects in wanted.chunks(DELIVERY_BATCH_MAX) {
            let asked: Vec<(ObjectRef, bool)> = objects.iter().map(|it| (*it, quiet[it])).collect();
            let works = blocking(&connection, &ground, move |connection, ground| {
                ground.query.works_of(connection, &asked, ground.locale).map_err(PlanError::from)
            });
            let works = works.await?;
            self.look_for(sink, &connection.name, works, ground.clock.as_ref(), &mut found).await?;
            let there = found.len() as u64;
            self.change(&connection.name, |look| {
                look.done += objects.len() as u64;
                look.found = there;
            });
        }
        let now = ground.clock.now();
        blocking(&connection, &ground, move |connection, ground| kept(connection, ground, &plan, lines, &found, now))
            .await
    }

    /// Looks for these objects, and waits when the system asks to.
    async fn look_for(
        &self,
        sink: &Sink,
        name: &Slug,
        mut works: Vec<Work>,
        clock: &dyn Clock,
        found: &mut HashMap<ObjectRef, Found>,
    ) -> Result<(), Message> {
        for _ in 0..LOOK_ROUNDS_MAX {
            if works.is_empty() {
                return Ok(());
            }
            let report = sink.look(works.clone(), clock.now().plus_ms(PUSH_DEADLINE_MS)).await;
            for (object, looked) in report.looked {
                works.retain(|work| work.object != object);
                match looked {
                    Looked::There { id, several, fields } => {
                        drop(found.insert(object, Found::new(id, several, fields)))
                    }
                    Looked::NotThere => {}
                }
            }
            let now = clock.now();
            let until = match &report.stop {
                Some(stop) if stop.fault == Fault::Connection => return Err(stop.reason.clone()),
                Some(stop) => Some(stop.until),
                None => report.untouched.iter().filter_map(|(_, at)| *at).max(),
            };
            // Nothing to wait for: the delivery will meet what was met here, and say so.
            let Some(until) = until else { return Ok(()) };
            self.change(name, |look| look.trouble = report.stop.map(|stop| stop.reason));
            let wait = until.ms_since(now).clamp(100, LOOK_WAIT_MAX_MS);
            tokio::time::sleep(std::time::Duration::from_millis(wait.unsigned_abs())).await;
            self.change(name, |look| look.trouble = None);
        }
        Err(Message::new("look-given-up").with("sink", name))
    }
}

impl std::fmt::Debug for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looks").finish_non_exhaustive()
    }
}

fn is_looked_for(line: &Line) -> bool {
    matches!(line.action, Action::Create | Action::Import) && line.looks > 0
}

/// A plan of now, with its lines.
fn planned(connection: &Connection, ground: &LookGround) -> Result<(Plan, Vec<Line>), PlanError> {
    let plan = ground.query.make_plan(&ground.plans, connection, ground.locale, ground.clock.now())?;
    let mut lines = Vec::new();
    ground.plans.lines(&plan, |line| {
        lines.push(line);
        true
    })?;
    Ok((plan, lines))
}

/// The same plan, with what was found.
fn kept(
    connection: &Connection,
    ground: &LookGround,
    plan: &Plan,
    lines: Vec<Line>,
    found: &HashMap<ObjectRef, Found>,
    now: Timestamp,
) -> Result<String, PlanError> {
    let mut writing = ground.plans.begin_looked(&connection.name, now)?;
    for line in lines {
        writing.add(&match found.get(&line.object) {
            Some(found) => line.linked(found.clone()),
            None => line,
        })?;
    }
    let spec = connection.connector.sink.as_ref().expect("plans are made of sinks");
    Ok(writing.end(plan.made_at, plan.position, spec)?.plan)
}

/// Plans read the store and files for long: beside the event loop.
async fn blocking<T: Send + 'static>(
    connection: &Arc<Connection>,
    ground: &LookGround,
    act: impl FnOnce(&Connection, &LookGround) -> Result<T, PlanError> + Send + 'static,
) -> Result<T, Message> {
    let (connection, ground) = (Arc::clone(connection), ground.clone());
    let done = tokio::task::spawn_blocking(move || act(&connection, &ground)).await;
    let failed = |detail: String| Message::new("look-failed").with("detail", detail);
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(PlanError::File(message) | PlanError::Unknown(message))) => Err(message),
        Ok(Err(PlanError::Table(error))) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}
