# Tocsin's image: Python, the dependencies whose hashes are in requirements/run.txt, and the code.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /opt/tocsin

COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --no-compile --require-hashes -r requirements/run.txt

COPY bot bot
COPY runbooks runbooks
COPY policy policy

# 10001 as in deploy/base/deployment.yaml: no user of the image, and not root.
USER 10001:10001
EXPOSE 9655 9656
ENTRYPOINT ["python", "-m", "bot"]
CMD ["serve"]
