//! An object with what surrounds it: everything a request about it is made of.

use compact_str::CompactString;

use crate::base::{ClientId, Locale, Position, Slug};
use crate::catalog::Connection;
use crate::connector::{ClientSort, ObjectKind, ObjectSpec, SinkSpec};
use crate::entry::ObjectRef;
use crate::mapping::Ref;
use crate::model::{Client, ClientKind, ClientState, ContactPoint, Deal, Foreign, Interaction, Task};
use crate::sink::Search;
use crate::tables::rows::{ClientRow, DealRow, InteractionRow, SinkState, TaskRow, sink_state};
use crate::tables::{Clients, Deals, Interactions, Reader, TableError, Tasks, WordIds, Words};

/// See the module.
#[derive(Debug, Clone)]
pub struct Subject {
    object: ObjectRef,
    client: Option<Box<ClientRow>>,
    /// For a client the deal whose score stands for it.
    deal: Option<Box<DealRow>>,
    interaction: Option<Box<InteractionRow>>,
    task: Option<Box<TaskRow>>,
    /// Who is responsible, as its sinks know him.
    users: Vec<User>,
}

/// Somebody responsible, by the dictionary of a sink.
#[derive(Debug, Clone)]
struct User {
    sink: Slug,
    name: CompactString,
    id: CompactString,
}

impl Subject {
    /// Reads it; `None` when there is nothing to tell of it: it was merged away or taken back.
    pub fn read(reader: &Reader<'_>, object: ObjectRef) -> Result<Option<Subject>, TableError> {
        let mut subject =
            Subject { object, client: None, deal: None, interaction: None, task: None, users: Vec::new() };
        match object {
            ObjectRef::Client(id) => {
                let row = reader.get::<Clients>(&id)?;
                let Some(row) = row.filter(|row| row.client.state == ClientState::Active) else { return Ok(None) };
                subject.deal = best_deal(reader, &row)?;
                subject.client = Some(Box::new(row));
            }
            ObjectRef::Deal(id) => {
                let row = reader.get::<Deals>(&id)?;
                let Some(row) = row.filter(|row| !row.deal.hidden) else { return Ok(None) };
                subject.client = client_of(reader, row.deal.client)?;
                subject.deal = Some(Box::new(row));
            }
            ObjectRef::Interaction(id) => {
                let Some(row) = reader.get::<Interactions>(&id)? else { return Ok(None) };
                subject.client = client_of(reader, row.interaction.client)?;
                subject.deal = match row.interaction.deal {
                    Some(deal) => reader.get::<Deals>(&deal)?.map(Box::new),
                    None => None,
                };
                subject.interaction = Some(Box::new(row));
            }
            ObjectRef::Task(id) => {
                let Some(row) = reader.get::<Tasks>(&id)? else { return Ok(None) };
                subject.client = client_of(reader, row.task.client)?;
                subject.deal = match row.task.deal {
                    Some(deal) => reader.get::<Deals>(&deal)?.map(Box::new),
                    None => None,
                };
                subject.task = Some(Box::new(row));
            }
        }
        subject.users = subject.known_users(reader)?;
        Ok(Some(subject))
    }

    /// Who is responsible, where a sink has somebody of that name at work.
    fn known_users(&self, reader: &Reader<'_>) -> Result<Vec<User>, TableError> {
        let of_deal = self.deal().and_then(|deal| deal.responsible.as_ref()).map(|it| &it.value);
        let of_client = self.client().and_then(|client| client.responsible.as_ref()).map(|it| &it.value);
        let of_task = self.task().and_then(|task| task.responsible.as_ref());
        let dictionary = CompactString::const_new("user");
        let mut users: Vec<User> = Vec::new();
        for state in self.sinks() {
            for name in [of_deal, of_client, of_task].into_iter().flatten() {
                if users.iter().any(|it| it.sink == state.sink && it.name == *name) {
                    continue;
                }
                let named = reader.get::<WordIds>(&(state.sink.clone(), dictionary.clone(), name.clone()))?;
                let Some(id) = named.filter(|id| !id.is_empty()) else { continue };
                let word = reader.get::<Words>(&(state.sink.clone(), dictionary.clone(), id.clone()))?;
                // Who has left takes nothing over.
                if word.is_some_and(|word| word.active && word.name == *name) {
                    users.push(User { sink: state.sink.clone(), name: name.clone(), id });
                }
            }
        }
        Ok(users)
    }

    /// Of whoever is responsible, the id in `sink`.
    pub fn user(&self, sink: &Slug, name: &str) -> Option<&str> {
        self.users.iter().find(|it| it.sink == *sink && it.name == name).map(|it| it.id.as_str())
    }

    /// Its id as an object of this kind in a sink, by its foreign ids: of several the oldest.
    pub fn known_id(&self, sink: &Slug, kind: &str) -> Option<CompactString> {
        let foreign: Vec<&Foreign> = match self.object {
            ObjectRef::Client(_) => self.client()?.foreign.iter().map(|(foreign, _)| foreign).collect(),
            ObjectRef::Deal(_) => self.deal()?.foreign.iter().collect(),
            ObjectRef::Interaction(_) | ObjectRef::Task(_) => Vec::new(),
        };
        let mine = foreign.into_iter().filter(|it| it.connection == *sink && *it.kind == *kind);
        mine.map(|it| it.id.clone()).min_by_key(|id| (id.len(), id.clone()))
    }

    fn sinks(&self) -> &[SinkState] {
        let sinks = match self.object {
            ObjectRef::Client(_) => self.client.as_ref().map(|row| &row.sinks),
            ObjectRef::Deal(_) => self.deal.as_ref().map(|row| &row.sinks),
            ObjectRef::Interaction(_) => self.interaction.as_ref().map(|row| &row.sinks),
            ObjectRef::Task(_) => self.task.as_ref().map(|row| &row.sinks),
        };
        sinks.map_or(&[], Vec::as_slice)
    }

    /// The object.
    pub fn object(&self) -> ObjectRef {
        self.object
    }

    /// The client that it is, or of which it is.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_ref().map(|row| &row.client)
    }

    /// The deal that it is, or of which it is.
    pub fn deal(&self) -> Option<&Deal> {
        self.deal.as_ref().map(|row| &row.deal)
    }

    /// The interaction that it is.
    pub fn interaction(&self) -> Option<&Interaction> {
        self.interaction.as_ref().map(|row| &row.interaction)
    }

    /// The task that it is.
    pub fn task(&self) -> Option<&Task> {
        self.task.as_ref().map(|row| &row.task)
    }

    /// What `sink` knows of it.
    pub fn state(&self, sink: &Slug) -> Option<&SinkState> {
        sink_state(self.sinks(), sink)
    }

    /// What `sink` knows of an object that this one refers to.
    pub fn state_of(&self, reference: Ref, sink: &Slug) -> Option<&SinkState> {
        let sinks = match reference {
            Ref::Client => self.client.as_ref().map(|row| &row.sinks),
            Ref::Deal => self.deal.as_ref().map(|row| &row.sinks),
        };
        sink_state(sinks?, sink)
    }

    /// Our id of an object that this one refers to.
    pub fn reference(&self, reference: Ref) -> Option<ObjectRef> {
        match reference {
            Ref::Client => self.client().map(|client| ObjectRef::Client(client.id)),
            Ref::Deal => self.deal().map(|deal| ObjectRef::Deal(deal.id)),
        }
    }

    /// The id that an object which this one refers to has in `sink`.
    ///
    /// Of a kind that the sink keeps it in: a deal may have been a lead there.
    pub fn foreign(&self, reference: Ref, connection: &Connection) -> Option<String> {
        let spec = connection.connector.sink.as_ref()?;
        let stands = |it: &&Foreign, of: ObjectKind| {
            it.connection == connection.name && spec.objects.iter().any(|kind| kind.of == of && *kind.kind == *it.kind)
        };
        let found = match reference {
            Ref::Client => {
                let foreign = &self.client()?.foreign;
                foreign.iter().map(|(it, _)| it).find(|it| stands(it, ObjectKind::Client))
            }
            Ref::Deal => self.deal()?.foreign.iter().find(|it| stands(it, ObjectKind::Deal)),
        };
        found.map(|it| it.id.to_string())
    }

    /// Its version: the entry that changed it last.
    pub fn version(&self) -> Position {
        match self.object {
            ObjectRef::Client(_) => self.client().map(|client| client.version),
            ObjectRef::Deal(_) => self.deal().map(|deal| deal.version),
            ObjectRef::Interaction(id) => Some(id.position()),
            ObjectRef::Task(_) => self.task().map(|task| task.version),
        }
        .unwrap_or(Position::START)
    }

    /// Name or title, for people.
    pub fn title(&self, locale: Locale) -> String {
        match self.object {
            ObjectRef::Client(_) => self.client().map(Client::shown_name),
            ObjectRef::Deal(_) => self.deal().and_then(|it| it.title.as_ref()).map(|title| title.value.to_string()),
            ObjectRef::Interaction(_) => self.interaction().map(|it| it.subject.to_string()),
            ObjectRef::Task(_) => self.task().map(|task| task.title.render(locale)),
        }
        .unwrap_or_default()
    }

    /// The foreign kind: what the sink already holds, else what the manifest keeps such objects in.
    pub fn kind_of<'s>(&self, spec: &'s SinkSpec, state: &SinkState) -> Option<&'s ObjectSpec> {
        if let Some(confirmed) = &state.confirmed {
            return spec.object(&confirmed.foreign_kind);
        }
        match self.object {
            ObjectRef::Client(_) => spec.kind_of(ObjectKind::Client, self.client().map(sort_of)),
            ObjectRef::Deal(_) => spec.kind_of(ObjectKind::Deal, None),
            ObjectRef::Interaction(_) => spec.kind_of(ObjectKind::Interaction, None),
            ObjectRef::Task(_) => spec.kind_of(ObjectKind::Task, None),
        }
    }

    /// By what it is looked for in a sink that does not know our id.
    pub fn search(&self) -> Search {
        let (ObjectRef::Client(_), Some(client)) = (self.object, self.client()) else { return Search::default() };
        let mut search = Search::default();
        for held in &client.contacts {
            match &held.point {
                ContactPoint::Phone(phone) if phone.extension.is_none() => search.phones.push(phone.e164.clone()),
                ContactPoint::Email(email) => search.emails.push(email.address.clone()),
                ContactPoint::Phone(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => {}
            }
        }
        search.inns.extend(client.inn.as_ref().map(|inn| inn.value.0.clone()));
        search
    }
}

fn sort_of(client: &Client) -> ClientSort {
    match client.kind {
        ClientKind::Person => ClientSort::Person,
        ClientKind::Company => ClientSort::Company,
    }
}

fn client_of(reader: &Reader<'_>, client: Option<ClientId>) -> Result<Option<Box<ClientRow>>, TableError> {
    let Some(client) = client else { return Ok(None) };
    Ok(reader.get::<Clients>(&client)?.map(Box::new))
}

/// The open deal whose class is the client's.
fn best_deal(reader: &Reader<'_>, row: &ClientRow) -> Result<Option<Box<DealRow>>, TableError> {
    for id in &row.deals {
        let deal = reader.get::<Deals>(id)?;
        if let Some(deal) = deal.filter(|it| it.deal.score.as_ref().map(|score| score.class) == row.class) {
            return Ok(Some(Box::new(deal)));
        }
    }
    Ok(None)
}
