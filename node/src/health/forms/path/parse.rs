//! From the text of an expression to what it says.

use rust_decimal::Decimal;

use super::{DEPTH_MAX, Function, NotUnderstood};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Expression {
    /// `true`, `false`.
    Boolean(bool),
    /// `'text'`.
    Text(String),
    /// `2.50`.
    Number(Decimal),
    /// `@2026-11-28`, `@2026-11-28T10:00:00Z`, `@T10:00`: the text behind the `@`.
    Moment(String),
    /// `{}`.
    Nothing,
    /// `%name`.
    Variable(String),
    /// `$this`.
    This,
    /// `$index`.
    Index,
    /// `.name` of something; of the focus where it stands first.
    Member(Option<Box<Self>>, String),
    /// `[n]`.
    At(Box<Self>, Box<Self>),
    /// `.function(…)`.
    Call(Option<Box<Self>>, Function, Vec<Self>),
    /// `a op b`.
    Binary(Operator, Box<Self>, Box<Self>),
    /// `-a`.
    Minus(Box<Self>),
}

/// What stands between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Operator {
    Implies,
    Or,
    Xor,
    And,
    In,
    Contains,
    Equal,
    NotEqual,
    Alike,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Plus,
    Minus,
    Join,
    Times,
}

impl Operator {
    /// How strongly it binds: the more, the closer.
    const fn strength(self) -> u8 {
        match self {
            Self::Implies => 1,
            Self::Or | Self::Xor => 2,
            Self::And => 3,
            Self::In | Self::Contains => 4,
            Self::Equal | Self::NotEqual | Self::Alike => 5,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 6,
            Self::Union => 7,
            Self::Plus | Self::Minus | Self::Join => 8,
            Self::Times => 9,
        }
    }
}

/// A word or sign of an expression, with where it begins.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Quoted(String),
    Text(String),
    Number(Decimal),
    Moment(String),
    Variable(String),
    Dollar(String),
    Sign(&'static str),
}

pub(super) fn parse(text: &str) -> Result<Expression, NotUnderstood> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.chars().count(),
    };
    let expression = parser.expression(0, 0)?;
    match parser.tokens.get(parser.next) {
        None => Ok(expression),
        Some((_, Token::Name(name))) if OTHER_OPERATORS.contains(&name.as_str()) => {
            Err(NotUnderstood::NotDone(format!("the operator {name}")))
        }
        Some((at, _)) => Err(NotUnderstood::At(*at)),
    }
}

/// Operators of FHIRPath that are not done here.
const OTHER_OPERATORS: [&str; 4] = ["is", "as", "div", "mod"];

const SIGNS: [&str; 20] = [
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "=", "~", "<", ">", "|", "+",
    "*", "&",
];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, NotUnderstood> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let begin = at;
        let next = chars.get(at + 1).copied();
        let token = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '/' if next == Some('/') => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
                continue;
            }
            '/' => return Err(NotUnderstood::NotDone("division".to_owned())),
            '\'' => Token::Text(quoted(&chars, &mut at)?),
            '`' => Token::Quoted(quoted(&chars, &mut at)?),
            '0'..='9' => {
                let digits = taken(&chars, &mut at, |c| c.is_ascii_digit());
                let has_fraction = chars.get(at) == Some(&'.')
                    && chars.get(at + 1).is_some_and(char::is_ascii_digit);
                let mut number = digits;
                if has_fraction {
                    at += 1;
                    number.push('.');
                    number.push_str(&taken(&chars, &mut at, |c| c.is_ascii_digit()));
                }
                let number = Decimal::from_str_exact(&number);
                Token::Number(number.map_err(|_| NotUnderstood::At(begin))?)
            }
            '@' => {
                at += 1;
                let moment = taken(&chars, &mut at, |c| {
                    c.is_ascii_alphanumeric() || "-:.+".contains(c)
                });
                Token::Moment(moment.trim_end_matches('.').to_owned())
            }
            '%' => {
                at += 1;
                let name = match chars.get(at) {
                    Some('`' | '\'') => quoted(&chars, &mut at)?,
                    Some(_) | None => taken(&chars, &mut at, is_of_name),
                };
                Token::Variable(name)
            }
            '$' => {
                at += 1;
                Token::Dollar(taken(&chars, &mut at, is_of_name))
            }
            '-' => {
                at += 1;
                Token::Sign("-")
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                Token::Name(taken(&chars, &mut at, is_of_name))
            }
            _ => {
                let rest: String = chars[at..chars.len().min(at + 2)].iter().collect();
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or(NotUnderstood::At(at))?;
                at += sign.len();
                Token::Sign(sign)
            }
        };
        tokens.push((begin, token));
    }
    Ok(tokens)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn taken(chars: &[char], at: &mut usize, is: impl Fn(char) -> bool) -> String {
    let begin = *at;
    while chars.get(*at).copied().is_some_and(&is) {
        *at += 1;
    }
    chars[begin..*at].iter().collect()
}

/// What stands between two of the sign at this place.
fn quoted(chars: &[char], at: &mut usize) -> Result<String, NotUnderstood> {
    let begin = *at;
    let quote = chars[begin];
    *at += 1;
    let mut text = String::new();
    loop {
        let c = chars.get(*at).copied().ok_or(NotUnderstood::At(begin))?;
        *at += 1;
        if c == quote {
            return Ok(text);
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escaped = chars.get(*at).copied().ok_or(NotUnderstood::At(begin))?;
        *at += 1;
        text.push(match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            '\\' | '\'' | '"' | '`' | '/' => escaped,
            'u' => {
                let digits: String = chars.iter().skip(*at).take(4).collect();
                *at += 4;
                let code = u32::from_str_radix(&digits, 16).ok();
                code.and_then(char::from_u32)
                    .ok_or(NotUnderstood::At(begin))?
            }
            _ => return Err(NotUnderstood::At(*at)),
        });
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    next: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn wrong(&self) -> NotUnderstood {
        let place = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        NotUnderstood::At(place)
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(is);
        is
    }

    fn needs(&mut self, sign: &'static str) -> Result<(), NotUnderstood> {
        if self.takes(sign) {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self.peek()? {
            Token::Name(name) => match name.as_str() {
                "implies" => Operator::Implies,
                "or" => Operator::Or,
                "xor" => Operator::Xor,
                "and" => Operator::And,
                "in" => Operator::In,
                "contains" => Operator::Contains,
                _ => return None,
            },
            Token::Sign(sign) => match *sign {
                "=" => Operator::Equal,
                "!=" => Operator::NotEqual,
                "~" => Operator::Alike,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                "|" => Operator::Union,
                "+" => Operator::Plus,
                "-" => Operator::Minus,
                "&" => Operator::Join,
                "*" => Operator::Times,
                _ => return None,
            },
            Token::Quoted(_)
            | Token::Text(_)
            | Token::Number(_)
            | Token::Moment(_)
            | Token::Variable(_)
            | Token::Dollar(_) => return None,
        })
    }

    fn expression(&mut self, weakest: u8, depth: usize) -> Result<Expression, NotUnderstood> {
        if depth > DEPTH_MAX {
            return Err(NotUnderstood::TooMuch);
        }
        let mut left = if self.takes("-") {
            Expression::Minus(Box::new(self.expression(10, depth + 1)?))
        } else {
            self.path(depth)?
        };
        while let Some(operator) = self.operator() {
            if operator.strength() <= weakest {
                break;
            }
            self.next += 1;
            let right = self.expression(operator.strength(), depth + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// A term with the steps behind it.
    fn path(&mut self, depth: usize) -> Result<Expression, NotUnderstood> {
        let mut left = self.term(depth)?;
        let mut steps = 0;
        loop {
            steps += 1;
            // Each step is one more value within another.
            if steps > DEPTH_MAX {
                return Err(NotUnderstood::TooMuch);
            }
            if self.takes(".") {
                left = self.step(Some(Box::new(left)), depth)?;
            } else if self.takes("[") {
                let index = self.expression(0, depth + 1)?;
                self.needs("]")?;
                left = Expression::At(Box::new(left), Box::new(index));
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<Expression, NotUnderstood> {
        let token = self.peek().cloned().ok_or_else(|| self.wrong())?;
        let term = match token {
            Token::Name(name) if name == "true" || name == "false" => {
                Expression::Boolean(name == "true")
            }
            Token::Name(_) | Token::Quoted(_) => return self.step(None, depth),
            Token::Text(text) => Expression::Text(text),
            Token::Number(number) => {
                self.next += 1;
                // `4 days`, `2 'mg'`: amounts with units are not counted with here.
                return match self.peek() {
                    Some(Token::Text(_)) => {
                        Err(NotUnderstood::NotDone("an amount with a unit".to_owned()))
                    }
                    Some(Token::Name(name)) if is_unit_of_time(name) => {
                        Err(NotUnderstood::NotDone("an amount of time".to_owned()))
                    }
                    Some(_) | None => Ok(Expression::Number(number)),
                };
            }
            Token::Moment(moment) => Expression::Moment(moment),
            Token::Variable(name) => Expression::Variable(name),
            Token::Dollar(name) if name == "this" => Expression::This,
            Token::Dollar(name) if name == "index" => Expression::Index,
            Token::Dollar(name) => return Err(NotUnderstood::NotDone(format!("${name}"))),
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.expression(0, depth + 1)?;
                self.needs(")")?;
                return Ok(inner);
            }
            Token::Sign("{") => {
                self.next += 1;
                self.needs("}")?;
                return Ok(Expression::Nothing);
            }
            Token::Sign(_) => return Err(self.wrong()),
        };
        self.next += 1;
        Ok(term)
    }

    /// A name or a function, of what stands before it.
    fn step(
        &mut self,
        of: Option<Box<Expression>>,
        depth: usize,
    ) -> Result<Expression, NotUnderstood> {
        let name = match self.peek() {
            Some(Token::Name(name) | Token::Quoted(name)) => name.clone(),
            Some(Token::Dollar(name)) if name == "this" => {
                self.next += 1;
                return Ok(of.map_or(Expression::This, |of| *of));
            }
            Some(_) | None => return Err(self.wrong()),
        };
        self.next += 1;
        if !self.takes("(") {
            return Ok(Expression::Member(of, name));
        }
        let function = Function::named(&name)
            .ok_or_else(|| NotUnderstood::NotDone(format!("the function {name}()")))?;
        let mut arguments = Vec::new();
        if !self.takes(")") {
            loop {
                arguments.push(self.expression(0, depth + 1)?);
                if !self.takes(",") {
                    break;
                }
            }
            self.needs(")")?;
        }
        Ok(Expression::Call(of, function, arguments))
    }
}

fn is_unit_of_time(name: &str) -> bool {
    let units = [
        "year",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
    ];
    units
        .iter()
        .any(|unit| name == *unit || name.strip_suffix('s') == Some(unit))
}
