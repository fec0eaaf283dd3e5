//! The grammar of CEL.

use super::lexer::{Token, words};

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

/// How deep an expression may be nested; the API server takes 250 levels.
const DEEPEST: usize = 200;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser { tokens: words(text)?, at: 0, depth: 0 };
    let expr = parser.expr()?;
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

/// Counts the links of a chain such as `a.b.c`, each of which nests those before it.
fn longer(links: &mut usize) -> Result<(), String> {
    *links += 1;
    if *links > DEEPEST { Err("it is nested too deeply".into()) } else { Ok(()) }
}

/// The parts joined by an operator, as a tree of the least depth.
fn balanced(operator: &str, mut parts: Vec<Expr>) -> Expr {
    while parts.len() > 1 {
        let mut rest = parts.into_iter();
        let mut joined = Vec::new();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => Expr::Call(operator.to_owned(), None, vec![left, right]),
                None => left,
            });
        }
        parts = joined;
    }
    parts.remove(0)
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

    fn expr(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deeply".into());
        }
        let condition = self.binary(0)?;
        let expr = if self.eat("?") {
            let yes = self.binary(0)?;
            self.expect(":")?;
            Expr::Call("_?_:_".into(), None, vec![condition, yes, self.expr()?])
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// Operands joined by operators of `lowest` and the levels above it.
    fn binary(&mut self, lowest: usize) -> Result<Expr, String> {
        let mut left = self.unary()?;
        let mut links = 0;
        while let Some((level, operator)) = self.operator(lowest) {
            let right = self.binary(level + 1)?;
            let name = format!("_{operator}_");
            if let "||" | "&&" = operator {
                let mut parts = vec![left, right];
                while self.eat(operator) {
                    parts.push(self.binary(level + 1)?);
                }
                left = balanced(&name, parts);
            } else {
                longer(&mut links)?;
                left = Expr::Call(name, None, vec![left, right]);
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

    fn unary(&mut self) -> Result<Expr, String> {
        let Some(sign) = ["!", "-"].into_iter().find(|sign| self.eat(sign)) else {
            return self.member();
        };
        let mut odd = true;
        while self.eat(sign) {
            odd = !odd;
        }
        Ok(match self.member()? {
            operand if !odd => operand,
            Expr::Literal(kind @ ("int" | "double"), Some(digits)) if sign == "-" => {
                Expr::Literal(kind, Some(format!("-{digits}")))
            }
            operand => Expr::Call(format!("{sign}_"), None, vec![operand]),
        })
    }

    fn member(&mut self) -> Result<Expr, String> {
        let mut expr = self.primary()?;
        let mut links = 0;
        loop {
            longer(&mut links)?;
            if self.eat(".") {
                let name = self.field()?;
                expr = if self.eat("(") {
                    Expr::Call(name, Some(Box::new(expr)), self.list(")")?)
                } else {
                    Expr::Select(Box::new(expr), name, false)
                };
            } else if self.eat(".?") {
                expr = Expr::Select(Box::new(expr), self.field()?, true);
            } else if self.eat("[") {
                expr = Expr::Index(Box::new(expr), Box::new(self.expr()?), false);
                self.expect("]")?;
            } else if self.eat("[?") {
                expr = Expr::Index(Box::new(expr), Box::new(self.expr()?), true);
                self.expect("]")?;
            } else {
                return Ok(expr);
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
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, String> {
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

    fn primary(&mut self) -> Result<Expr, String> {
        let token = self.peek().clone();
        self.at += 1;
        Ok(match token {
            Token::Int(digits) => Expr::Literal("int", Some(digits)),
            Token::Uint => Expr::Literal("uint", None),
            Token::Double(digits) => Expr::Literal("double", Some(digits)),
            Token::Bytes => Expr::Literal("bytes", None),
            Token::Text(text) => Expr::Literal("string", Some(text)),
            Token::Ident(name) => match name.as_str() {
                "true" | "false" => Expr::Literal("bool", Some(name)),
                "null" => Expr::Literal("null", None),
                "in" => return Err("`in` needs a value on each side".into()),
                _ if self.eat("(") => Expr::Call(name, None, self.list(")")?),
                reserved if RESERVED.contains(&reserved) => {
                    return Err(format!("`{name}` is a reserved word"));
                }
                _ => Expr::Ident(name),
            },
            Token::Sign("(") => {
                let expr = self.expr()?;
                self.expect(")")?;
                expr
            }
            Token::Sign("[") => Expr::List(self.list("]")?),
            Token::Sign("[?") => {
                let mut list = vec![self.expr()?];
                if self.eat(",") {
                    list.extend(self.list("]")?);
                } else {
                    self.expect("]")?;
                }
                Expr::List(list)
            }
            Token::Sign(open @ ("{" | "{?")) => self.map(open == "{?")?,
            other => return Err(format!("a value is missing before {}", show(&other))),
        })
    }

    fn map(&mut self, mut optional: Optional) -> Result<Expr, String> {
        let mut entries = Vec::new();
        while optional || !self.eat("}") {
            optional = false;
            self.eat("?");
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?));
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expr::Map(entries))
    }
}
