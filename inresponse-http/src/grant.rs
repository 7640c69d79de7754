//! The permissions that a configuration gives to a key.

use inresponse_core::InvalidInput;
use inresponse_core::model::ServiceName;

use crate::scope::Scope;

/// The permissions of a key, as an entry of a configuration lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The scopes of the key.
    pub scopes: Vec<Scope>,
    /// The service that the key is restricted to; `None` means every service.
    pub service: Option<ServiceName>,
}

impl Grant {
    /// Reads the names of scopes and of a service.
    ///
    /// # Errors
    /// Everything that is wrong with `scopes` or `service`: a word is not a scope, the service is not a name, or a
    /// service is combined with the scope `admin`.
    pub fn read(scopes: &[String], service: Option<String>) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let scope = |word: &String| {
            let message = || format!("`{word}` is not report, respond or admin");
            word.parse::<Scope>().map_err(|_| InvalidInput::field("scopes", message()))
        };
        let scopes: Vec<Scope> = scopes.iter().filter_map(|word| invalid.keep(scope(word))).collect();
        let named = |error: InvalidInput| {
            let message = error.errors().first().map_or("is invalid", |error| error.message());
            InvalidInput::field("service", message)
        };
        let service = service.and_then(|name| invalid.keep(ServiceName::new(name).map_err(named)));
        if service.is_some() && scopes.contains(&Scope::Admin) {
            let message = "cannot be combined with the scope admin: the roster belongs to no single service";
            invalid.push("service", message);
        }
        if invalid.is_empty() { Ok(Self { scopes, service }) } else { Err(invalid) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scopes: &[&str], service: Option<&str>) -> Result<Grant, String> {
        let scopes: Vec<_> = scopes.iter().map(ToString::to_string).collect();
        Grant::read(&scopes, service.map(str::to_owned)).map_err(|invalid| {
            invalid.errors().iter().map(|error| error.field()).collect::<Vec<_>>().join(" ")
        })
    }

    #[test]
    fn p16_everything_that_is_wrong_with_it_is_named() {
        let athens = ServiceName::new("athens").ok();
        let both = [Scope::Report, Scope::Respond].to_vec();
        assert_eq!(read(&["report", "respond"], Some("athens")), Ok(Grant { scopes: both, service: athens }));
        assert_eq!(read(&["admin"], None), Ok(Grant { scopes: vec![Scope::Admin], service: None }));
        assert_eq!(read(&["everything", "Report"], Some("")), Err("scopes scopes service".to_owned()));
        assert_eq!(read(&["report", "admin"], Some("athens")), Err("service".to_owned()));
    }
}
