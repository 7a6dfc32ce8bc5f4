//! Times and durations, as people write them in RFC 3339 and ISO 8601.

const DAY_MS: i64 = 86_400_000;

/// A time with `Z` or an offset from it, or a day alone; in milliseconds since 1970.
pub fn timestamp_ms(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00Z"));
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let days = days_since_1970(date.next()??, date.next()??, date.next()??)?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    Some(days * DAY_MS + clock_ms(clock)? - zone_ms(zone)?)
}

/// As [`timestamp_ms`]; a time without an offset is one of UTC, as Kafka's tools take it.
pub fn timestamp_ms_or_utc(text: &str) -> Option<i64> {
    timestamp_ms(text).or_else(|| timestamp_ms(&format!("{text}Z")))
}

/// "10:00", "10:00:00" or "10:00:00.250".
fn clock_ms(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let valid = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0.0..61.0).contains(&seconds);
    valid.then(|| (hours * 60 + minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

/// "Z", "+01:00" or "-0530", as what the local clock is ahead.
fn zone_ms(text: &str) -> Option<i64> {
    let sign = match text.chars().next()? {
        'Z' if text.len() == 1 => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(sign * (hours * 60 + minutes) * 60_000)
}

/// Counts days by the years that begin in March, which end with the leap day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    const DAYS_TO_1970: i64 = 719_469;
    Some(year * 365 + leap_days + days_before_month + day - DAYS_TO_1970)
}

/// "P1DT2H30M0.5S", in milliseconds: days, hours, minutes and seconds, each with a sign of its own if it likes, and one
/// before them all.
pub fn duration_ms(text: &str) -> Option<i64> {
    let text = text.to_ascii_uppercase();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let (days, clock) = match rest.strip_prefix('P')?.split_once('T') {
        Some((days, clock)) if !clock.is_empty() => (days, clock),
        Some(_) => return None,
        None => (rest.strip_prefix('P')?, ""),
    };
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let days = amounts_ms(days, &[('D', DAY_MS)])?;
    let clock = amounts_ms(clock, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)])?;
    days.checked_add(clock)?.checked_mul(sign)
}

/// The sum of numbers, each before its unit, in the order of the units.
fn amounts_ms(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum = 0_i64;
    for (unit, ms) in units {
        if let Some((amount, rest)) = text.split_once(*unit) {
            sum = sum.checked_add(amount_ms(amount, *ms, *unit == 'S')?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// Only seconds have a fraction, of which what is below a millisecond is passed over.
fn amount_ms(text: &str, unit_ms: i64, with_fraction: bool) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if with_fraction => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let signed = if whole.starts_with('-') { -thousandths } else { thousandths };
    whole.parse::<i64>().ok()?.checked_mul(unit_ms)?.checked_add(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let known = [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00.250Z", 250),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2000-03-01", 951_868_800_000),
            ("2026-11-22T10:00:00Z", 1_795_341_600_000),
            ("2026-11-22T11:00:00+01:00", 1_795_341_600_000),
            ("2026-11-22 04:30-0530", 1_795_341_600_000),
        ];
        for (text, ms) in known {
            assert_eq!(timestamp_ms(text), Some(ms), "{text}");
        }
        for wrong in ["", "soon", "2026-13-01", "2026-01-01T25:00Z", "2026-01-01T10:00"] {
            assert_eq!(timestamp_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_one_of_utc_where_that_is_allowed() {
        assert_eq!(timestamp_ms_or_utc("1970-01-01T00:00:01.000"), Some(1000));
        assert_eq!(timestamp_ms_or_utc("1970-01-01T01:00:01.000+01:00"), Some(1000));
        assert_eq!(timestamp_ms_or_utc("tomorrow"), None);
    }

    #[test]
    fn durations_are_those_of_java() {
        let known = [
            ("PT20.345S", 20_345),
            ("PT15M", 900_000),
            ("pt10h", 36_000_000),
            ("P2D", 2 * DAY_MS),
            ("P2DT3H4M", 2 * DAY_MS + 11_040_000),
            ("PT-6H3M", -21_420_000),
            ("-PT6H", -21_600_000),
            ("-PT-6H+3M", 21_420_000),
            ("PT0.0015S", 1),
            ("PT-0.5S", -500),
        ];
        for (text, ms) in known {
            assert_eq!(duration_ms(text), Some(ms), "{text}");
        }
        let wrong =
            ["", "P", "PT", "P1", "1D", "P1DT", "PT1.5H", "PT1S1M", "P1Y", "PT.S", "PT9223372036854775807H"];
        for wrong in wrong {
            assert_eq!(duration_ms(wrong), None, "{wrong}");
        }
    }
}
