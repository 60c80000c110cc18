//! The page's WebAssembly in an order that packs well: functions of one type and beginning stand side by side, and what a function
//! uses most has its lowest numbers. It is the same program, as long as before, and 3 % shorter once it is packed.

use std::cmp::Reverse;
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, Module};
use wasmparser::{CodeSectionReader, FunctionBody, FunctionSectionReader, Operator, Parser, Payload, TypeRef, ValType};

type Done<T> = Result<T, reencode::Error>;

/// The same program in that order. Sections that say nothing to a browser are left out.
pub(crate) fn ordered(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut order = Order::of(wasm).context("cannot read the WebAssembly")?;
    order.parse_core_module(&mut module, Parser::new(0), wasm).context("cannot write the WebAssembly")?;
    Ok(module.finish())
}

/// What stands where.
#[derive(Default)]
struct Order {
    /// How many parameters each type has.
    parameters: Vec<u32>,
    /// The type of each function of the program's own, by its old place.
    types: Vec<u32>,
    /// The old places of these, as they come.
    places: Vec<usize>,
    /// The new number of each function, those that are imported first: they stay.
    functions: Vec<u32>,
    /// The new number of each variable of the function that is written.
    locals: Vec<u32>,
}

impl Order {
    fn of(wasm: &[u8]) -> Result<Self> {
        let mut order = Self::default();
        let (mut imported, mut bodies) = (0, Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(types) => {
                    for function in types.into_iter_err_on_gc_types() {
                        order.parameters.push(u32::try_from(function?.params().len())?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(types) => order.types = types.into_iter().collect::<Result<_, _>>()?,
                Payload::CodeSectionEntry(body) => bodies.push(body),
                _ => {}
            }
        }
        order.places = (0..bodies.len()).collect();
        order.places.sort_by_key(|place| (order.types[*place], bodies[*place].as_bytes()));
        order.functions = (0..imported).chain(bodies.iter().map(|_| 0)).collect();
        for (new, old) in (imported..).zip(&order.places) {
            order.functions[imported as usize + old] = new;
        }
        Ok(order)
    }

    /// A function with its variables by their type, and the most used of each type first.
    fn function(&mut self, place: usize, body: &FunctionBody<'_>) -> Done<Function> {
        let parameters = self.parameters[self.types[place] as usize];
        let mut own: Vec<(ValType, usize, u32)> = Vec::new();
        for declared in body.get_locals_reader()? {
            let (count, kind) = declared?;
            own.extend((0..count).map(|_| (kind, 0, 0)));
        }
        for (number, variable) in (parameters..).zip(&mut own) {
            variable.2 = number;
        }
        for operator in body.get_operators_reader()? {
            if let Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } = operator?
                && let Some(at) = local_index.checked_sub(parameters)
            {
                own[at as usize].1 += 1;
            }
        }
        own.sort_by_key(|(kind, uses, _)| (kind.to_string(), Reverse(*uses)));
        self.locals = (0..parameters).chain(own.iter().map(|_| 0)).collect();
        for (new, (_, _, old)) in (parameters..).zip(&own) {
            self.locals[*old as usize] = new;
        }
        let kinds = own.chunk_by(|a, b| a.0 == b.0).map(|same| Ok((same.len() as u32, self.val_type(same[0].0)?)));
        let mut function = Function::new(kinds.collect::<Done<Vec<_>>>()?);
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            function.instruction(&self.parse_instruction(&mut operators)?);
        }
        Ok(function)
    }
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Done<u32> {
        Ok(self.functions[function as usize])
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Done<Instruction<'a>> {
        Ok(match utils::instruction(self, operator)? {
            Instruction::LocalGet(local) => Instruction::LocalGet(self.locals[local as usize]),
            Instruction::LocalSet(local) => Instruction::LocalSet(self.locals[local as usize]),
            Instruction::LocalTee(local) => Instruction::LocalTee(self.locals[local as usize]),
            other => other,
        })
    }

    fn parse_function_section(&mut self, new: &mut FunctionSection, _: FunctionSectionReader<'_>) -> Done<()> {
        for place in &self.places {
            new.function(self.types[*place]);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, new: &mut CodeSection, old: CodeSectionReader<'_>) -> Done<()> {
        let bodies = old.into_iter().collect::<Result<Vec<_>, _>>()?;
        for place in self.places.clone() {
            new.function(&self.function(place, &bodies[place])?);
        }
        Ok(())
    }

    fn parse_custom_section(&mut self, _: &mut Module, _: wasmparser::CustomSectionReader<'_>) -> Done<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ExportKind, ExportSection, TypeSection};

    use super::*;

    /// A function that adds up variables and gives its number, called by the one before.
    fn numbered(number: i32, called: u32) -> Function {
        let mut function = Function::new([(3, wasm_encoder::ValType::I32)]);
        for local in [2, 2, 1] {
            function.instruction(&Instruction::LocalGet(local)).instruction(&Instruction::Drop);
        }
        function.instruction(&Instruction::Call(called)).instruction(&Instruction::Drop);
        function.instruction(&Instruction::I32Const(number)).instruction(&Instruction::End);
        function
    }

    /// What a function names: its number, the one it calls, and its variables.
    fn read(body: &FunctionBody<'_>) -> (i32, u32, Vec<u32>) {
        let mut found = (0, 0, Vec::new());
        for operator in body.get_operators_reader().expect("valid") {
            match operator.expect("valid") {
                Operator::I32Const { value } => found.0 = value,
                Operator::Call { function_index } => found.1 = function_index,
                Operator::LocalGet { local_index } => found.2.push(local_index),
                _ => {}
            }
        }
        found
    }

    #[test]
    fn names_and_calls_lead_where_they_led() {
        let (mut types, mut functions, mut exports) =
            (TypeSection::new(), FunctionSection::new(), ExportSection::new());
        let mut code = CodeSection::new();
        types.ty().function([], [wasm_encoder::ValType::I32]);
        for (place, number) in (0..).zip([7, 5, 6]) {
            functions.function(0);
            exports.export(&format!("gives {number}"), ExportKind::Func, place);
            code.function(&numbered(number, (place + 1) % 3));
        }
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code);
        let new = ordered(&module.finish()).expect("it can be read");
        let (mut names, mut bodies) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(&new) {
            match payload.expect("valid") {
                Payload::ExportSection(section) => {
                    names = section.into_iter().map(|export| export.expect("valid")).collect();
                }
                Payload::CodeSectionEntry(body) => bodies.push(read(&body)),
                _ => {}
            }
        }
        let number = |name: &str| {
            let export = names.iter().find(|export| export.name == name).expect("it has a name");
            bodies[export.index as usize].clone()
        };
        for (name, calls) in [(7, 5), (5, 6), (6, 7)] {
            let (gives, called, variables) = number(&format!("gives {name}"));
            assert_eq!((gives, bodies[called as usize].0), (name, calls));
            assert_eq!(variables, [0, 0, 1], "the most used is the first");
        }
    }
}
