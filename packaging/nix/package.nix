# For nixpkgs' callPackage. The tests are not run: they start servers and browsers.
{
  lib,
  rustPlatform,
  installShellFiles,
}:

rustPlatform.buildRustPackage {
  pname = "oauth";
  version = (builtins.fromTOML (builtins.readFile ../../Cargo.toml)).package.version;
  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;
  nativeBuildInputs = [ installShellFiles ];
  doCheck = false;

  postInstall = ''
    $out/bin/oauth man --dir man
    installManPage man/*.1
    installShellCompletion --cmd oauth \
      --bash completions/oauth.bash --zsh completions/_oauth --fish completions/oauth.fish
  '';

  meta = {
    description = "OAuth 2.0 from a terminal: log in, keep the session, hand out valid tokens";
    license = with lib.licenses; [
      mit
      asl20
    ];
    mainProgram = "oauth";
    platforms = lib.platforms.unix;
  };
}
