//! Selecting from the audit log.

use super::Record;

/// A place in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(pub(super) usize);

/// Which records to select; by default all but mere tries.
#[derive(Clone, Debug, Default)]
pub struct Query {
    after: usize,
    user: Option<String>,
    not_users: Vec<String>,
    verb: Option<String>,
    resource: Option<(String, String)>,
    without: Vec<String>,
    name: Option<String>,
    accepted: bool,
}

impl Query {
    /// Every write.
    pub fn writes() -> Self {
        Self::default()
    }

    /// Only those after the mark.
    #[must_use]
    pub fn since(mut self, mark: Mark) -> Self {
        self.after = mark.0;
        self
    }

    /// Only by users whose name ends with this: `:gpu-sharing-operator` is the service account
    /// whatever its namespace.
    #[must_use]
    pub fn by(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Not by users whose name ends with this.
    #[must_use]
    pub fn not_by(mut self, user: &str) -> Self {
        self.not_users.push(user.to_owned());
        self
    }

    /// Only this verb.
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    /// Only to `resource`, or to `resource/subresource`, and not to other subresources of it.
    #[must_use]
    pub fn to(mut self, resource: &str) -> Self {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        self.resource = Some((resource.to_owned(), subresource.to_owned()));
        self
    }

    /// Not to this resource, subresources included.
    #[must_use]
    pub fn except(mut self, resource: &str) -> Self {
        self.without.push(resource.to_owned());
        self
    }

    /// Only to the object of this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only what the API server accepted.
    #[must_use]
    pub fn accepted(mut self) -> Self {
        self.accepted = true;
        self
    }

    pub(super) fn select(&self, records: Vec<Record>) -> Vec<Record> {
        let after = records.into_iter().skip(self.after);
        after.filter(|record| self.matches(record)).collect()
    }

    fn matches(&self, record: &Record) -> bool {
        let object = &record.object;
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        !record.dry_run
            && self
                .user
                .as_ref()
                .is_none_or(|user| record.user.ends_with(user))
            && !self
                .not_users
                .iter()
                .any(|user| record.user.ends_with(user))
            && is(&self.verb, &record.verb)
            && is(&self.name, &object.name)
            && !self.without.contains(&object.resource)
            && self
                .resource
                .as_ref()
                .is_none_or(|(resource, subresource)| {
                    *resource == object.resource && *subresource == object.subresource
                })
            && (!self.accepted || record.took_effect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(user: &str, resource: &str, subresource: &str, code: u16) -> Record {
        serde_json::from_value(json!({
            "requestReceivedTimestamp": "2026-01-01T00:00:00Z",
            "stageTimestamp": "2026-01-01T00:00:00Z",
            "verb": "create",
            "user": {"username": user},
            "requestURI": "/",
            "objectRef": {"resource": resource, "subresource": subresource, "name": "a"},
            "responseStatus": {"code": code},
        }))
        .unwrap()
    }

    #[test]
    fn each_condition_narrows() {
        let log = || {
            vec![
                record("admin", "nodes", "", 200),
                record("sa:operator", "pods", "eviction", 201),
                record("sa:operator", "pods", "eviction", 429),
                record("sa:operator", "pods", "", 200),
                record("sa:agent", "gpunodes", "status", 200),
            ]
        };
        let all = Query::writes;
        for (expected, query) in [
            (5, all()),
            (3, all().by(":operator")),
            (2, all().not_by(":operator")),
            (2, all().to("pods/eviction")),
            (1, all().to("pods")),
            (1, all().to("pods/eviction").accepted()),
            (2, all().except("pods")),
            (0, all().named("b")),
            (0, all().verb("delete")),
            (2, all().since(Mark(3))),
        ] {
            assert_eq!(query.select(log()).len(), expected, "{query:?}");
        }
    }
}
