//! Runs the emulated cloud, with the real template deployed to it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::emulators::{Emulator, free_port};
use crate::nextest::{self, Tests};
use crate::tools::{Failure, node_modules, output, python, root, run, target_dir, tools_dir, wait};

const STACK: &str = "inresponse";
/// The filter of the test runner for all tests except [`Cloud::test_roles`].
pub(crate) const WITHOUT_ROLES: &str = "not binary(roles)";
/// The secret with the settings of the channels. The proxy is the carriers.
const CHANNELS: &str = "inresponse/channels";
/// The API key that the tests use.
const KEY: &str = "cloud-test-key-cloud-test-key";

/// A deployment, and the programs on which it runs. Dropping the deployment ends these programs.
#[derive(Debug)]
pub(crate) struct Cloud {
    ministack: Emulator,
    proxy: Emulator,
    api: String,
    bounces: String,
}

impl Cloud {
    /// Starts the emulated cloud, which checks permissions, builds the functions, and deploys the template as the
    /// README describes.
    pub(crate) fn deploy() -> Result<Self, Failure> {
        check()?;
        let folder = bundle()?;
        let proxy_port = free_port()?;
        // The functions reach the cloud through the proxy.
        let endpoint = format!("http://127.0.0.1:{proxy_port}");
        let ministack = Emulator::ministack(&[("AWS_ENDPOINT_URL", endpoint.as_str()), ("AUTH", "true")])?;
        let mut proxy = Command::new(python()?);
        proxy.arg(root().join("examples/lambda/tests/cloud/proxy.py"));
        proxy.arg(format!("127.0.0.1:{}", ministack.port)).arg(proxy_port.to_string());
        let proxy = Emulator::start("proxy", proxy, proxy_port)?;
        let mut cloud = Self { ministack, proxy, api: String::new(), bounces: String::new() };
        cloud.aws(&folder, &["s3", "mb", "s3://deployments"])?;
        cloud.keep_channels(&folder)?;
        let package = ["cloudformation", "package", "--template-file", "template.yaml", "--s3-bucket"];
        let to = ["deployments", "--output-template-file", "packaged.yaml"];
        cloud.aws(&folder, &[&package[..], &to[..]].concat())?;
        run(Command::new(python()?.with_file_name("cfn-lint")).arg(folder.join("packaged.yaml")))?;
        let deploy = ["cloudformation", "deploy", "--template-file", "packaged.yaml", "--stack-name", STACK];
        let how =
            ["--capabilities", "CAPABILITY_IAM", "--parameter-overrides", "MailFrom=alerts@example.org"];
        let key = format!("ApiKey={KEY}");
        let channels = format!("Channels=secretsmanager:{CHANNELS}");
        let token = "TokenSecret=0123456789abcdef0123456789abcdef";
        let secrets = [key.as_str(), channels.as_str(), token, "DeletionProtection=false"];
        cloud.aws(&folder, &[&deploy[..], &how[..], &secrets[..]].concat())?;
        cloud.api = cloud.result(&folder, "ApiId")?;
        cloud.bounces = cloud.result(&folder, "BouncesTopicArn")?;
        cloud.allow_mail(&folder)?;
        println!("deployed to http://{}.execute-api.localhost:{}", cloud.api, cloud.ministack.port);
        Ok(cloud)
    }

    /// Makes the secret with the settings of the channels.
    fn keep_channels(&self, folder: &Path) -> Result<(), Failure> {
        let carriers = format!("http://127.0.0.1:{}/carriers", self.proxy.port);
        let settings = format!(
            "[webhook]\ninternal = [\"127.0.0.1\"]\n\
             [twilio]\naccount-sid = \"AC0123456789abcdef0123456789abcdef\"\n\
             auth-token = \"cloud-test-token-0123456789abcde\"\nfrom = \"+15005550006\"\n\
             api-url = \"{carriers}\"\n\
             [ntfy]\nurl = \"{carriers}/ntfy\"\n"
        );
        std::fs::write(folder.join("channels.toml"), settings)?;
        let secret = ["secretsmanager", "create-secret", "--name", CHANNELS];
        self.aws(folder, &[&secret[..], &["--secret-string", "file://channels.toml"]].concat())
    }

    /// Adds a permission to send mail on any resource, which the emulator requires and the template does not give.
    fn allow_mail(&self, folder: &Path) -> Result<(), Failure> {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ses:SendEmail","Resource":"*"}]}"#;
        for role in ["NotifierRole", "SweeperRole"] {
            let resource =
                ["cloudformation", "describe-stack-resource", "--stack-name", STACK, "--logical-resource-id"];
            let query = ["--output", "text", "--query", "StackResourceDetail.PhysicalResourceId"];
            let name = output(&mut self.cli(folder, &[&resource[..], &[role], &query[..]].concat())?)?;
            let put = ["iam", "put-role-policy", "--policy-name", "emulator", "--policy-document", policy];
            self.aws(folder, &[&put[..], &["--role-name", name.trim()]].concat())?;
        }
        Ok(())
    }

    /// The environment variables with which the tests find the deployment.
    pub(crate) fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("INRESPONSE_TEST_CLOUD", self.ministack.url()),
            ("INRESPONSE_TEST_PROXY", self.proxy.url()),
            ("INRESPONSE_TEST_STACK", STACK.to_owned()),
            ("INRESPONSE_TEST_API", self.api.clone()),
            ("INRESPONSE_TEST_BOUNCES", self.bounces.clone()),
        ]
    }

    /// Takes the functions' permissions and keys away, one after the other. Nothing else may use the deployment at that
    /// time.
    pub(crate) fn test_roles(&self, only: Option<&str>) -> Result<(), Failure> {
        let mut tests = Tests::of("binary(roles)", only);
        tests.command.arg("--no-capture").envs(self.variables());
        tests.run("roles")
    }

    fn cli(&self, folder: &Path, arguments: &[&str]) -> Result<Command, Failure> {
        let mut aws = Command::new(python()?.with_file_name("aws"));
        aws.args(arguments).current_dir(folder).env("AWS_ENDPOINT_URL", self.ministack.url());
        aws.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        aws.env("AWS_DEFAULT_REGION", "eu-central-1").env("AWS_PAGER", "");
        Ok(aws)
    }

    fn aws(&self, folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
        println!("\n$ aws {}", arguments.join(" "));
        // Its progress bars fill pages.
        let aws = self.cli(folder, arguments)?.stdout(Stdio::null()).spawn()?;
        let status = wait(aws, "aws")?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("aws {} failed: {status}", arguments.join(" ")).into())
        }
    }

    fn result(&self, folder: &Path, name: &str) -> Result<String, Failure> {
        let query = format!("Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue");
        let describe =
            ["cloudformation", "describe-stacks", "--stack-name", STACK, "--output", "text", "--query"];
        let text = output(&mut self.cli(folder, &[&describe[..], &[query.as_str()]].concat())?)?;
        Ok(text.trim().to_owned())
    }
}

/// Checks the template and the state machine before anything is deployed.
fn check() -> Result<(), Failure> {
    let folder = root().join("examples/lambda");
    run(Command::new(python()?.with_file_name("cfn-lint")).arg(folder.join("template.yaml")))?;
    let validator = node_modules()?.join(".bin/asl-validator");
    run(Command::new(validator).arg("--json-path").arg(folder.join("escalation.asl.json")))
}

/// Makes a folder with the template and the files that it deploys, like `examples/lambda` after a build.
fn bundle() -> Result<PathBuf, Failure> {
    nextest::build()?;
    let folder = tools_dir().join("cloud");
    std::fs::create_dir_all(folder.join("target"))?;
    for file in ["template.yaml", "escalation.asl.json"] {
        std::fs::copy(root().join("examples/lambda").join(file), folder.join(file))?;
    }
    let stripped = folder.join("bootstrap");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(target_dir().join("debug/bootstrap")))?;
    let zip = "import sys, zipfile\n\
               entry = zipfile.ZipInfo('bootstrap')\n\
               entry.external_attr = 0o755 << 16\n\
               with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as out:\n    \
                   out.writestr(entry, open(sys.argv[1], 'rb').read(), zipfile.ZIP_DEFLATED, 1)\n";
    let archive = folder.join("target/inresponse-lambda.zip");
    run(Command::new(python()?).args(["-c", zip]).arg(&stripped).arg(archive))?;
    Ok(folder)
}

/// Deploys, and runs the tests of the cloud.
pub(crate) fn test() -> Result<(), Failure> {
    nextest::install()?;
    let cloud = Cloud::deploy()?;
    let mut tests = Tests::of(&format!("package(inresponse-lambda) and {WITHOUT_ROLES}"), None);
    let dynamodb_local = Emulator::dynamodb_local()?;
    tests.command.env("INRESPONSE_TEST_DYNAMODB_LOCAL", dynamodb_local.url()).envs(cloud.variables());
    let tested = tests.run("tests");
    cloud.test_roles(None).and(tested)
}
