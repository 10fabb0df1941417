//! The program `evalrun`: calls the command line and ends with its exit code.

fn main() -> std::process::ExitCode {
    evalrun::cli::main()
}
