//! Bad input is named, with what to do about it: no crash loop without a word, and no journal is lost.
