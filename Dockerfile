# The tag is not a fixed version. Once a digest is beside it, Dependabot keeps both up to date.
FROM python:3.13-slim
COPY requirements/runtime.txt /tmp/
COPY src/redeliver /opt/redeliver/lib/python3.13/site-packages/redeliver
# One stage and one step keep the build fast: every job that uses the Dockerfile builds the image.
# A second stage would save nothing, because pip leaves no other files behind. compileall uses every
# core, pip only one. actions-toolkit installs its own tests as a top-level package, so remove them.
RUN python -m venv --without-pip /opt/redeliver \
 && python -m pip --python /opt/redeliver/bin/python install \
      --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: \
      -r /tmp/runtime.txt \
 && rm -r /opt/redeliver/lib/python3.13/site-packages/tests /tmp/runtime.txt \
 && python -m compileall -q -j 0 /opt/redeliver
# No USER and no WORKDIR: the runner mounts a workspace that its own user owns, and expects root.
# https://docs.github.com/en/actions/reference/workflows-and-actions/dockerfile-support
# -I keeps the workspace off sys.path, so that a github.py in the caller's repository is never
# imported instead of PyGithub. -I also ignores PYTHON* variables, so -u and -X utf8 are flags here.
ENTRYPOINT ["/opt/redeliver/bin/python", "-I", "-u", "-X", "utf8", "-m", "redeliver"]
