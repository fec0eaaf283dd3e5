//! Rust sources as syntax trees. Every source that is parsed goes through here.
//!
//! syn calls itself for whatever is nested, and so does the dropping of what it returns: a text without end would need
//! a stack without end. So the text is gone through before, token by token, and what syn can need at each token is
//! summed: something for each bracket that is open, and for each sign and keyword since the last comma, semicolon or
//! block, where it has returned. The costs are those of a debug build, measured for every construct and rounded up.

use crate::limits::{Budget, DEPTH, STACK};

mod lexer;

use lexer::{Kind, Lexer, Token};

/// Why a text cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
    /// Whether it would be too much, rather than no Rust.
    pub limit: bool,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Most tokens of the sources that are held at a time: a tree takes about 400 bytes for each.
pub const TOKENS: u64 = 2_000_000;

/// Parses a file's text.
///
/// # Errors
/// A [`Fault`] when it is no Rust, nested too deep, or longer than [`TOKENS`].
pub fn parse(text: &str) -> Result<syn::File, Fault> {
    parse_within(text, &Budget::of(TOKENS))
}

/// [`parse`] for one of several files, which have so many `tokens` together.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(text: &str, tokens: &Budget) -> Result<syn::File, Fault> {
    check(text, tokens)?;
    syn::parse_file(text).map_err(|error| Fault {
        line: error.span().start().line,
        message: error.to_string(),
        limit: false,
    })
}

/// What syn may use of the stack, in bytes. The rest is for what called it, and for what was not measured.
const MOST: usize = STACK / 8 * 5;

/// What a construct costs syn, in bytes.
mod cost {
    /// A parenthesis or square bracket, in a type.
    pub const BRACKET: usize = 28 << 10;
    /// A block, as the body of a closure.
    pub const BRACE: usize = 28 << 10;
    /// The generic arguments of a type.
    pub const ANGLE: usize = 48 << 10;
    /// An arrow before a type.
    pub const ARROW: usize = 32 << 10;
    /// A keyword, such as `if` or `return`.
    pub const KEYWORD: usize = 24 << 10;
    /// A reference or pointer.
    pub const REFERENCE: usize = 28 << 10;
    /// Another sign that may have an expression behind it.
    pub const SIGN: usize = 8 << 10;
    /// An operator between operands, which takes space when the expression is dropped.
    pub const OPERATOR: usize = 4 << 10;
    /// An operand or a step of a chain, likewise.
    pub const OPERAND: usize = 1 << 10;
}

/// What is open: a bracket, or the `<` of generic arguments, which may also have been a comparison.
#[derive(Clone, Copy)]
struct Level {
    is_angle: bool,
    /// What it costs to come here.
    base: usize,
    /// What has been added since the last separator.
    run: usize,
    /// Whether a `|` was, so that commas may be those of a closure's parameters.
    bar: bool,
}

impl Level {
    fn new(is_angle: bool, base: usize) -> Self {
        Self { is_angle, base, run: 0, bar: false }
    }

    fn reset(&mut self) {
        (self.run, self.bar) = (0, false);
    }
}

/// Checks that syn has enough stack for a text.
fn check(text: &str, tokens: &Budget) -> Result<(), Fault> {
    let mut lexer = Lexer::new(text);
    let mut levels = vec![Level::new(false, 0)];
    let mut brackets = 0;
    let mut before = Token { kind: Kind::Sign, byte: b';' };
    loop {
        let unclosed = |lexer: &Lexer<'_>| lexer.fault("what begins here is never closed", false);
        let Some(token) = lexer.token().map_err(|()| unclosed(&lexer))? else { return Ok(()) };
        if tokens.take(1).is_err() {
            return Err(lexer.fault(&format!("more than {TOKENS} tokens in all sources"), true));
        }
        if before.byte == b'}' && ends_block(token) {
            separate(&mut levels);
        }
        let cost = match (token.kind, token.byte) {
            (Kind::Open, byte) => {
                brackets += 1;
                if brackets > DEPTH {
                    return Err(lexer.fault(&format!("brackets nested deeper than {DEPTH}"), true));
                }
                let base = top(&mut levels).base + top(&mut levels).run;
                let cost = if byte == b'{' { cost::BRACE } else { cost::BRACKET };
                levels.push(Level::new(false, base + cost));
                0
            }
            (Kind::Close, _) => {
                hard(&mut levels);
                // One too many ends everything: syn never sees such a text.
                if levels.len() > 1 {
                    levels.pop();
                    brackets -= 1;
                }
                cost::OPERAND
            }
            (Kind::Sign, b';') => {
                separate(&mut levels);
                0
            }
            (Kind::Sign, b',') => {
                let level = top(&mut levels);
                if level.bar {
                    level.run += cost::OPERAND;
                } else {
                    level.reset();
                }
                0
            }
            (Kind::Sign, b'>') if before.kind == Kind::Sign && before.byte == b'=' && lexer.joint => {
                separate(&mut levels);
                0
            }
            (Kind::Sign, b'>') if before.kind == Kind::Sign && before.byte == b'-' && lexer.joint => {
                cost::ARROW
            }
            (Kind::Sign, b'>') => {
                if top(&mut levels).is_angle {
                    levels.pop();
                }
                cost::OPERAND
            }
            (Kind::Sign, b'<') => {
                let base = top(&mut levels).base + top(&mut levels).run;
                levels.push(Level::new(true, base + cost::ANGLE));
                0
            }
            (Kind::Sign, b'|') => {
                top(&mut levels).bar = true;
                cost::SIGN
            }
            (Kind::Sign, b'&' | b'*') => {
                if before.is_operand() {
                    cost::OPERATOR
                } else {
                    cost::REFERENCE
                }
            }
            (Kind::Sign, b'.' | b'?' | b':' | b'#') if before.byte != token.byte || before.byte == b':' => {
                cost::OPERAND
            }
            (Kind::Sign, b'+' | b'/' | b'%' | b'^' | b'-') if before.is_operand() => cost::OPERATOR,
            (Kind::Sign, _) => cost::SIGN,
            // `else`, `as` and `in` go on with what a keyword or an operand has begun.
            (Kind::Keyword, b'e') => cost::OPERATOR,
            (Kind::Keyword, _) => cost::KEYWORD,
            (Kind::Operand | Kind::Lifetime, _) => cost::OPERAND,
        };
        let level = top(&mut levels);
        level.run += cost;
        if level.base + level.run > MOST {
            return Err(lexer.fault("nested too deep, or too long without a separator", true));
        }
        before = token;
    }
}

/// Whether a token that comes after a block shows that nothing is left open around that.
fn ends_block(token: Token) -> bool {
    match token.kind {
        // `else`, `as` and `in` carry on.
        Kind::Keyword => token.byte != b'e',
        Kind::Operand | Kind::Lifetime => true,
        Kind::Sign => token.byte == b'#',
        Kind::Open | Kind::Close => false,
    }
}

fn top(levels: &mut Vec<Level>) -> &mut Level {
    if levels.is_empty() {
        levels.push(Level::new(false, 0));
    }
    let last = levels.len() - 1;
    &mut levels[last]
}

/// Comes back to the innermost bracket: what is open inside were comparisons.
fn hard(levels: &mut Vec<Level>) {
    while levels.len() > 1 && top(levels).is_angle {
        levels.pop();
    }
}

/// Passes what ends everything inside the innermost bracket.
fn separate(levels: &mut Vec<Level>) {
    hard(levels);
    top(levels).reset();
}

#[cfg(test)]
mod tests;
