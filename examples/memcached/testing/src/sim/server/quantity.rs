//! Quantities of resources in the form in which the API server writes them.

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The canonical form; none if it is no quantity.
pub(super) fn canonical(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = -i32::try_from(fraction.len()).ok()?;
    let sign = if negative && mantissa != 0 { "-" } else { "" };
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        let bytes = mantissa.checked_mul(1 << bits)?;
        let divisor = 10_i128.checked_pow(scale.unsigned_abs())?;
        if bytes % divisor != 0 {
            return decimal(sign, bytes.checked_mul(1000)? / divisor, -3);
        }
        let mut value = bytes / divisor;
        let mut steps = 0;
        while value != 0 && value % 1024 == 0 && steps < BINARY.len() {
            value /= 1024;
            steps += 1;
        }
        let name = steps.checked_sub(1).map_or("", |step| BINARY[step].0);
        return Some(format!("{sign}{value}{name}"));
    }
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']).filter(|rest| !rest.is_empty()) {
        let scale = scale + exponent.parse::<i32>().ok()?;
        return exponential(sign, mantissa, scale);
    }
    let (_, power) = DECIMAL.iter().find(|(name, _)| *name == suffix)?;
    decimal(sign, mantissa, scale + power)
}

fn normal(mut mantissa: i128, mut scale: i32) -> Option<(i128, i32)> {
    while mantissa != 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale += 1;
    }
    while scale.rem_euclid(3) != 0 {
        mantissa = mantissa.checked_mul(10)?;
        scale -= 1;
    }
    Some((mantissa, scale))
}

fn decimal(sign: &str, mantissa: i128, scale: i32) -> Option<String> {
    if mantissa == 0 {
        return Some("0".to_owned());
    }
    let (mantissa, scale) = normal(mantissa, scale)?;
    let (name, _) = DECIMAL.iter().find(|(_, power)| *power == scale)?;
    Some(format!("{sign}{mantissa}{name}"))
}

fn exponential(sign: &str, mantissa: i128, scale: i32) -> Option<String> {
    if mantissa == 0 {
        return Some("0".to_owned());
    }
    let (mantissa, scale) = normal(mantissa, scale)?;
    Some(if scale == 0 { format!("{sign}{mantissa}") } else { format!("{sign}{mantissa}e{scale}") })
}
