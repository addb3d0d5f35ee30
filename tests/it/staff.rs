//! Ids of `rules/employees.toml` against the users that the portal has.

use std::sync::Arc;

use uzel::base::{Locale, Timestamp};
use uzel::catalog::Catalog;
use uzel::query::{EmployeeView, Query};
use uzel::twin::bitrix24::Limits;

use crate::pipeline_support::{START, catalog};
use crate::reading_support::Scene;

/// The stock portal has 1 Анна Смирнова, 2 Пётр Иванов and 3 Олег Бывший, who was dismissed.
const EMPLOYEES: &str = r#"
[[employee]]
key = "right"
name = "Смирнова Анна"
ids = { bitrix24 = ["1", "Анна Смирнова"], 1c = "Смирнова А." }

[[employee]]
key = "mistaken"
name = "Иванов Пётр"
ids = { bitrix24 = "22" }

[[employee]]
key = "named"
name = "Иванов П. С."
ids = { bitrix24 = "Иванов Петр" }

[[employee]]
key = "stranger"
name = "Никто Никита"
ids = { bitrix24 = ["2", "99"] }

[[employee]]
key = "left-there"
name = "Бывший Олег"
ids = { bitrix24 = "3" }

[[employee]]
key = "left"
name = "Бывший Олег"
ids = { bitrix24 = "33" }
valid_to = "2020-01-01"

[[employee]]
key = "coming"
name = "Новый Иван"
ids = { bitrix24 = "44" }
valid_from = "2099-01-01"
"#;

fn staff() -> Arc<Catalog> {
    catalog(&[("rules/employees.toml", EMPLOYEES)])
}

fn look<T>(scene: &Scene, look: impl FnOnce(&Query) -> T) -> T {
    let world = scene.world.lock().expect("no panic before");
    look(&Query::new(world.store.clone(), world.journal.clone(), staff()))
}

fn problems(scene: &Scene, now: Timestamp) -> Vec<String> {
    let views = look(scene, |query| query.employees(now, Locale::Ru)).expect("the store reads");
    let of_one = |it: EmployeeView| it.id_problems.into_iter().map(move |text| format!("{}: {text}", it.key));
    views.into_iter().flat_map(of_one).collect()
}

#[tokio::test(start_paused = true)]
async fn an_id_that_nobody_has_in_the_portal_is_named_with_who_may_be_meant() {
    let mut scene = Scene::new(Limits::none()).await;
    assert_eq!(problems(&scene, START), [""; 0], "users that were not read are not missed");
    scene.read().await;
    assert_eq!(
        problems(&scene, START),
        [
            "mistaken: в bitrix24 нет пользователя 22, по имени подходит 2: исправьте ids в rules/employees.toml",
            "named: в bitrix24 нет пользователя Иванов Петр, по имени подходит 2: исправьте ids в rules/employees.toml",
            "stranger: в bitrix24 нет пользователя 99: исправьте ids в rules/employees.toml",
            "left-there: в bitrix24 пользователь 3 уволен: впишите последний день (valid_to) или действующий номер в rules/employees.toml",
        ]
    );
    // A connection is told of once, by how many employees it does not know.
    let faults = look(&scene, |query| query.staff_faults(START)).expect("the store reads");
    assert!(faults.iter().all(|it| &*it.connection == "bitrix24"), "users of 1c are never read: {faults:?}");
    assert_eq!(faults.len(), 4);
}
