//! The grammar of CEL.

use super::lexer::{Token, words};
use crate::limits::DEPTH;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A value of the type named; with its content, except bytes.
    Literal(&'static str, Option<String>),
    Ident(String),
    /// A field of an object or map; in `a.?b` it may be absent.
    Select(Box<Expr>, String, Optional),
    /// An entry of a list or map; in `a[?b]` it may be absent.
    Index(Box<Expr>, Box<Expr>, Optional),
    /// A function, a method or an operator.
    Call(String, Option<Box<Expr>>, Vec<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

/// Whether what is looked for may be absent.
pub(super) type Optional = bool;

/// Words that name nothing.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// The operators with two sides, from the loosest on.
const LEVELS: [&[&str]; 5] =
    [&["||"], &["&&"], &["<", "<=", ">=", ">", "==", "!=", "in"], &["+", "-"], &["*", "/", "%"]];

/// An expression, and how many there are one in the other from it to the innermost.
type Tall = (Expr, usize);

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { tokens: words(text)?, at: 0, depth: 0 };
    let (expr, _) = parser.expr()?;
    match parser.peek() {
        Token::End => Ok(expr),
        other => Err(format!("{} is not expected", show(other))),
    }
}

fn show(token: &Token) -> String {
    match token {
        Token::Ident(name) => format!("`{name}`"),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::Text(text) => format!("the text `{text}`"),
        Token::Bytes => "a text of bytes".into(),
        Token::Int(_) | Token::Uint | Token::Double(_) => "a number".into(),
        Token::End => "its end".into(),
    }
}

/// The height of what is around others.
fn above(heights: impl IntoIterator<Item = usize>) -> Result<usize, String> {
    match heights.into_iter().max().unwrap_or(0) {
        height if height >= DEPTH => Err(too_deep()),
        height => Ok(height + 1),
    }
}

fn too_deep() -> String {
    format!("it is nested too deeply, more than {DEPTH} levels")
}

fn split(list: Vec<Tall>) -> (Vec<Expr>, Vec<usize>) {
    list.into_iter().unzip()
}

/// The parts joined by an operator, as a tree of the least depth.
fn balanced(operator: &str, mut parts: Vec<Tall>) -> Result<Tall, String> {
    while parts.len() > 1 {
        let mut rest = parts.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => both(operator, left, right)?,
                None => left,
            });
        }
        parts = joined;
    }
    Ok(parts.remove(0))
}

/// Two operands joined by an operator.
fn both(operator: &str, left: Tall, right: Tall) -> Result<Tall, String> {
    let height = above([left.1, right.1])?;
    Ok((Expr::Call(operator.to_owned(), None, vec![left.0, right.0]), height))
}

impl Parser {
    fn peek(&self) -> &Token {
        // The last one is the end, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = match self.peek() {
            Token::Sign(found) => *found == sign,
            Token::Ident(name) => sign == "in" && name == "in",
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(format!("`{sign}` is missing before {}", show(self.peek()))) }
    }

    fn expr(&mut self) -> Result<Tall, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(too_deep());
        }
        let condition = self.binary(0)?;
        let expr = if self.eat("?") {
            let yes = self.binary(0)?;
            self.expect(":")?;
            let no = self.expr()?;
            let height = above([condition.1, yes.1, no.1])?;
            (Expr::Call("_?_:_".into(), None, vec![condition.0, yes.0, no.0]), height)
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// Operands joined by operators of `lowest` and the levels above it.
    fn binary(&mut self, lowest: usize) -> Result<Tall, String> {
        let mut left = self.unary()?;
        while let Some((level, operator)) = self.operator(lowest) {
            let right = self.binary(level + 1)?;
            let name = format!("_{operator}_");
            if let "||" | "&&" = operator {
                let mut parts = vec![left, right];
                while self.eat(operator) {
                    parts.push(self.binary(level + 1)?);
                }
                left = balanced(&name, parts)?;
            } else {
                left = both(&name, left, right)?;
            }
        }
        Ok(left)
    }

    /// The operator that comes next, with its level, if that is not below `lowest`.
    fn operator(&mut self, lowest: usize) -> Option<(usize, &'static str)> {
        let mut all = LEVELS.iter().enumerate().skip(lowest);
        all.find_map(|(level, operators)| {
            let operator = operators.iter().find(|operator| self.eat(operator))?;
            Some((level, *operator))
        })
    }

    fn unary(&mut self) -> Result<Tall, String> {
        let Some(sign) = ["!", "-"].into_iter().find(|sign| self.eat(sign)) else {
            return self.member();
        };
        let mut odd = true;
        while self.eat(sign) {
            odd = !odd;
        }
        let (operand, height) = self.member()?;
        Ok(match operand {
            operand if !odd => (operand, height),
            Expr::Literal(kind @ ("int" | "double"), Some(digits)) if sign == "-" => {
                (Expr::Literal(kind, Some(format!("-{digits}"))), height)
            }
            operand => (Expr::Call(format!("{sign}_"), None, vec![operand]), above([height])?),
        })
    }

    fn member(&mut self) -> Result<Tall, String> {
        let (mut expr, mut height) = self.primary()?;
        loop {
            if self.eat(".") {
                let name = self.field()?;
                if self.eat("(") {
                    let (arguments, heights) = split(self.list(")")?);
                    height = above(heights.into_iter().chain([height]))?;
                    expr = Expr::Call(name, Some(Box::new(expr)), arguments);
                } else {
                    height = above([height])?;
                    expr = Expr::Select(Box::new(expr), name, false);
                }
            } else if self.eat(".?") {
                height = above([height])?;
                expr = Expr::Select(Box::new(expr), self.field()?, true);
            } else if let Some(open) = ["[", "[?"].into_iter().find(|open| self.eat(open)) {
                let index = self.expr()?;
                height = above([height, index.1])?;
                expr = Expr::Index(Box::new(expr), Box::new(index.0), open == "[?");
                self.expect("]")?;
            } else {
                return Ok((expr, height));
            }
        }
    }

    /// The name after a dot.
    fn field(&mut self) -> Result<String, String> {
        match self.peek().clone() {
            Token::Ident(name) if !["in", "true", "false", "null"].contains(&name.as_str()) => {
                self.at += 1;
                Ok(name)
            }
            other => Err(format!("a name is missing before {}", show(&other))),
        }
    }

    /// Expressions up to a closing bracket.
    fn list(&mut self, close: &str) -> Result<Vec<Tall>, String> {
        let mut list = Vec::new();
        while !self.eat(close) {
            if close == "]" {
                self.eat("?");
            }
            list.push(self.expr()?);
            if !self.eat(",") {
                self.expect(close)?;
                break;
            }
            if close == ")" && *self.peek() == Token::Sign(")") {
                return Err("a value is missing before `)`".into());
            }
        }
        Ok(list)
    }

    fn primary(&mut self) -> Result<Tall, String> {
        let token = self.peek().clone();
        self.at += 1;
        let expr = match token {
            Token::Int(digits) => Expr::Literal("int", Some(digits)),
            Token::Uint => Expr::Literal("uint", None),
            Token::Double(digits) => Expr::Literal("double", Some(digits)),
            Token::Bytes => Expr::Literal("bytes", None),
            Token::Text(text) => Expr::Literal("string", Some(text)),
            Token::Ident(name) => return self.named(name),
            Token::Sign("(") => {
                let expr = self.expr()?;
                self.expect(")")?;
                return Ok(expr);
            }
            Token::Sign("[") => {
                let (list, heights) = split(self.list("]")?);
                return Ok((Expr::List(list), above(heights)?));
            }
            Token::Sign("[?") => {
                let mut list = vec![self.expr()?];
                if self.eat(",") {
                    list.extend(self.list("]")?);
                } else {
                    self.expect("]")?;
                }
                let (list, heights) = split(list);
                return Ok((Expr::List(list), above(heights)?));
            }
            Token::Sign(open @ ("{" | "{?")) => return self.map(open == "{?"),
            other => return Err(format!("a value is missing before {}", show(&other))),
        };
        Ok((expr, 1))
    }

    /// What a name begins.
    fn named(&mut self, name: String) -> Result<Tall, String> {
        let expr = match name.as_str() {
            "true" | "false" => Expr::Literal("bool", Some(name)),
            "null" => Expr::Literal("null", None),
            "in" => return Err("`in` needs a value on each side".into()),
            _ if self.eat("(") => {
                let (arguments, heights) = split(self.list(")")?);
                return Ok((Expr::Call(name, None, arguments), above(heights)?));
            }
            reserved if RESERVED.contains(&reserved) => return Err(format!("`{name}` is a reserved word")),
            _ => Expr::Ident(name),
        };
        Ok((expr, 1))
    }

    fn map(&mut self, mut optional: Optional) -> Result<Tall, String> {
        let (mut entries, mut heights) = (Vec::new(), Vec::new());
        while optional || !self.eat("}") {
            optional = false;
            self.eat("?");
            let key = self.expr()?;
            self.expect(":")?;
            let value = self.expr()?;
            heights.extend([key.1, value.1]);
            entries.push((key.0, value.0));
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok((Expr::Map(entries), above(heights)?))
    }
}
