//! The links in alerts: to claim an incident, and to see it.

use super::clocks::Clocks;
use crate::claim::{AnswerToken, ClaimToken, ClaimsToken, TokenError, TokenSecret};
use crate::model::{Contact, DeliveryId, IncidentNumber};

/// Makes links and reads their tokens, if this deployment has pages.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pages: Option<Pages>,
}

/// Where the pages are, and the secrets of claim tokens.
#[derive(Debug, Clone)]
struct Pages {
    base_url: String,
    secrets: Vec<TokenSecret>,
}

impl Links {
    /// Links to pages under that URL. The first secret signs; tokens of all secrets are valid.
    pub(super) fn under(base_url: String, secrets: Vec<TokenSecret>) -> Self {
        Self { pages: Some(Pages { base_url, secrets }) }
    }

    /// The secrets of tokens; none if there are no links.
    pub(super) fn secrets(&self) -> &[TokenSecret] {
        self.pages.as_ref().map_or(&[][..], |pages| &pages.secrets)
    }

    /// The URL that all links begin with.
    pub(super) fn base_url(&self) -> Option<&str> {
        self.pages.as_ref().map(|pages| pages.base_url.as_str())
    }

    /// The link by which a contact can claim an incident. It is a secret.
    pub(super) fn claim_url(
        &self,
        incident: IncidentNumber,
        contact: &Contact,
        clocks: &Clocks,
    ) -> Option<String> {
        let pages = self.pages.as_ref()?;
        let token = ClaimToken::new(incident, contact.clone(), clocks.now()).sign(pages.secrets.first()?);
        Some(format!("{}/incidents/{incident}/claim?token={token}", pages.base_url))
    }

    /// The link by which a contact can claim all incidents of a bundle. It is a secret.
    #[cfg(feature = "runner")]
    pub(super) fn claim_all_url(
        &self,
        incidents: impl Iterator<Item = IncidentNumber>,
        contact: &Contact,
        clocks: &Clocks,
    ) -> Option<String> {
        let pages = self.pages.as_ref()?;
        let token = ClaimsToken::new(incidents, contact.clone(), clocks.now()).sign(pages.secrets.first()?);
        Some(format!("{}/claims?token={token}", pages.base_url))
    }

    /// Reads the token of a bundle's link.
    pub(super) fn verify_claims(&self, token: &str, clocks: &Clocks) -> Result<ClaimsToken, TokenError> {
        ClaimsToken::verify(token, self.secrets(), clocks.now())
    }

    /// The token with which a button in an alert answers it. It is a secret.
    pub(super) fn answer_token(
        &self,
        incident: IncidentNumber,
        delivery: &DeliveryId,
        clocks: &Clocks,
    ) -> Option<String> {
        let secret = self.pages.as_ref()?.secrets.first()?;
        Some(AnswerToken::new(incident, delivery.clone(), clocks.now()).sign(secret))
    }

    /// Reads the token of a button.
    pub(super) fn verify_answer(&self, token: &str, clocks: &Clocks) -> Result<AnswerToken, TokenError> {
        AnswerToken::verify(token, self.secrets(), clocks.now())
    }

    /// The address of an incident's page, for people who may sign in there.
    pub(super) fn board_url(&self, incident: IncidentNumber) -> Option<String> {
        let pages = self.pages.as_ref()?;
        Some(format!("{}/board/incidents/{incident}", pages.base_url))
    }

    /// Reads the token of a claim link.
    pub(super) fn verify(
        &self,
        incident: IncidentNumber,
        token: &str,
        clocks: &Clocks,
    ) -> Result<ClaimToken, TokenError> {
        ClaimToken::verify(token, incident, self.secrets(), clocks.now())
    }
}
