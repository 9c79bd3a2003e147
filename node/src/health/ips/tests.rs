//! Stories about summaries.
