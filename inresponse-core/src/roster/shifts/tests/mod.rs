//! Who is on call, case by case, and what must hold for every schedule.

mod feeds;
mod hours;
mod layers;
mod nested;
mod overrides;
mod properties;
mod scene;
mod turns;
