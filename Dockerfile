# Serves a bundle: docker build -t headlight . && docker run -p 8501:8501 -v $PWD/bundles/demo:/bundle:ro headlight
# For typed texts and uploads add "[precompute]" to the installation, and mount the weights.
FROM python:3.11-slim
COPY . /source
RUN pip install --no-cache-dir /source && rm -r /source
RUN useradd --create-home --uid 1000 headlight
USER headlight
ENV HEADLIGHT_BUNDLE=/bundle
EXPOSE 8501
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://localhost:8501/_stcore/health')"
CMD ["headlight", "view", "--address", "0.0.0.0", "--port", "8501"]
