//! The status rule as stories and laws.
//!
//! Each way of breaking the rule fails at least one of them. Whoever changes the rule tries these
//! again by hand:
//!
//! | broken | told by |
//! |---|---|
//! | what an entry builds on adds nothing to its past | `documents::who_builds_on_what_someone_wrote_…` |
//! | a later cut does not replace an earlier one | `cuts::a_later_cut_of_the_same_issuer_…` |
//! | a lower issuer widens a cut that it knew | `cuts::a_lower_issuer_who_knew_…` |
//! | nothing follows when the last event of a cut arrives | `documents::when_the_last_event_of_a_cut_…` |
//! | nothing follows when the last entry of a cut arrives | `documents::when_the_last_entry_of_a_cut_…` |
//! | a cut reaches into another document | `cuts::a_cut_that_names_an_entry_of_another_document_…` |
//! | a changed need leaves the statuses as they were | `cuts::a_revocation_is_noticed_…` |
//! | an entry on a contested one does not bring it in | `cuts::a_contested_entry_is_brought_in_…` |
//! | keep lists are ignored | `stories::a_kept_nurse_…` |
//! | void lists are ignored | `stories::a_recovery_lets_revocations_stand_…` |
//! | final revocations are as others | `stories::a_final_revocation_…` |
//! | a child is adopted without its parent | `stories::a_child_is_not_adopted_…` |
//! | one covered link of several is enough | `stories::an_honest_later_cut_on_another_link_…` |
//! | void where the rule says suspended | `stories::a_confirmed_revocation_stands` |
//! | suspended revocations mark nothing | `stories::a_revoked_admin_who_keeps_revoking_…` |
//! | one custodian's lapse is enough | `stories::a_custodian_downstream_…` |
//! | an entry after the end is not marked | `stories::an_entry_that_knows_only_a_lapse_…` |
//! | a peer revokes | `stories::a_peer_or_a_descendant_revokes_nothing` |
//! | a custodian keeps its own entries | `custodians::a_custodian_says_nothing_of_its_own_…` |
//! | a custodian keeps entries after the issuer's time | `custodians::a_custodian_keeps_nothing_beyond_…` |
//! | a custodian speaks beside the issuer's own part | `custodians::where_the_issuer_says_something_…` |
//! | a retired device of a custodian still speaks | `custodians::a_part_signed_by_a_device_…` |
//! | a custodian's signature is not checked | `custodians::a_forged_part_changes_nothing` |
//! | anyone gets a token to sign an act | `acts::only_those_above_…` |

mod acts;
mod chains;
mod custodians;
mod cuts;
mod documents;
mod keys;
mod laws;
mod stories;
mod voids;
mod words;
mod world;
