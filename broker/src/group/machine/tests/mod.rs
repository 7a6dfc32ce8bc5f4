//! The machine, driven by hand and by the thousand random schedules.

mod client;
mod driver;
mod offsets;
mod rebalance;
mod schedules;
mod static_members;
mod survey;

pub use self::driver::settings;
