"""Datasets of micro-expressions beside CASME II, and clips of the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from ffbench.datasets.base import Count, Dataset, Found, Progress, undecodable_images
from ffbench.datasets.microexpressions.composite import OFFICIAL_CLIPS, OFFICIAL_SUBJECTS, list_megc2019
from ffbench.datasets.microexpressions.own_table import list_own
from ffbench.datasets.microexpressions.published import list_casme3, list_mmew, list_samm, list_smic
from ffbench.datasets.onset_apex import OnsetApexClips
from ffbench.io.archives.member_path import DatasetPath

_MODULE = "ffbench.datasets.microexpressions"
SAMM_CLIPS = 159
SMIC_LABELS = {"negative": 70, "positive": 51, "surprise": 43}


def _check(
    list_clips: Callable[[DatasetPath], OnsetApexClips],
    labels: Mapping[str, int],
    clips: int | None,
    subjects: int | None,
) -> Callable[[DatasetPath, bool, Progress], Found]:
    """Return a check that counts clips, subjects and labels."""

    def check(path: DatasetPath, quick: bool, progress: Progress) -> Found:
        found = list_clips(path)
        problems = list(found.problems)
        if not quick:
            problems += undecodable_images([file for clip in found.clips for file in clip.files], progress)
        there = Counter(clip.label for clip in found.clips)
        counts = [
            Count("clips, with those that are left out", len(found.clips) + len(found.left_out), clips),
            Count("subjects", len({clip.subject for clip in found.clips}), subjects),
            *(Count(f"label {label}", there[label], count) for label, count in labels.items()),
            *(Count(f"label {label}", there[label]) for label in sorted(there) if label not in labels),
        ]
        return Found(counts, problems, found.synthetic, found.left_out)

    return check


SAMM = Dataset(
    id="samm",
    title="SAMM",
    summary="spontaneous micro-movements, gray, 200 frames a second",
    licence="for research, by a signed agreement",
    source="http://www2.docm.mmu.ac.uk/STAFF/M.Yap/dataset.php: sign the agreement and ask its authors",
    citation="""@article{davison2018samm,
  author  = {Davison, Adrian K. and Lansley, Cliff and Costen, Nicholas and Tan, Kevin and Yap, Moi Hoon},
  title   = {{SAMM}: A Spontaneous Micro-Facial Movement Dataset},
  journal = {IEEE Transactions on Affective Computing},
  volume  = {9},
  number  = {1},
  pages   = {116--129},
  year    = {2018},
}""",
    folders=("SAMM", "samm"),
    check=_check(list_samm, {}, SAMM_CLIPS, None),
    counts={"clips": SAMM_CLIPS},
    mini="ffbench.synth.minis.microexpressions:SAMM_MINI",
    onset_apex=f"{_MODULE}.published:list_samm",
)
SMIC = Dataset(
    id="smic",
    title="SMIC-HS",
    summary="spontaneous micro-expressions of three classes, 100 frames a second",
    licence="for research, by a signed agreement",
    source="https://www.oulu.fi/cmvs/node/41319: sign the agreement and ask its authors",
    citation="""@inproceedings{li2013smic,
  author    = {Li, Xiaobai and Pfister, Tomas and Huang, Xiaohua and Zhao, Guoying and Pietik{\\"a}inen, Matti},
  title     = {A Spontaneous Micro-expression Database: Inducement, Collection and Baseline},
  booktitle = {IEEE International Conference and Workshops on Automatic Face and Gesture Recognition (FG)},
  year      = {2013},
}""",
    folders=("SMIC", "SMIC_all_raw", "smic"),
    check=_check(list_smic, SMIC_LABELS, sum(SMIC_LABELS.values()), 16),
    counts={"clips": sum(SMIC_LABELS.values()), "subjects": 16},
    mini="ffbench.synth.minis.microexpressions:SMIC_MINI",
    onset_apex=f"{_MODULE}.published:list_smic",
)
CASME3 = Dataset(
    id="casme3",
    title="CAS(ME)^3 part A",
    summary="spontaneous micro-expressions with depth, 30 frames a second",
    licence="for research, by a signed agreement",
    source="http://casme.psych.ac.cn/casme/e4: sign the agreement and ask its authors",
    citation="""@article{li2023casme3,
  author  = {Li, Jingting and Dong, Zizhao and Lu, Shaoyuan and Wang, Su-Jing and Yan, Wen-Jing and Ma, Yinhuan and
             Liu, Ye and Huang, Changbing and Fu, Xiaolan},
  title   = {{CAS(ME)$^3$}: A Third Generation Facial Spontaneous Micro-Expression Database with Depth Information and
             High Ecological Validity},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  year    = {2023},
}""",
    folders=("CASME3", "CASME_3", "casme3"),
    check=_check(list_casme3, {}, None, None),
    onset_apex=f"{_MODULE}.published:list_casme3",
)
MMEW = Dataset(
    id="mmew",
    title="MMEW",
    summary="micro- and macro-expressions of the same people, 90 frames a second",
    licence="for research, by a signed agreement",
    source="http://www.dpailab.com/database.html: sign the agreement and ask its authors",
    citation="""@article{ben2022mmew,
  author  = {Ben, Xianye and Ren, Yi and Zhang, Junping and Wang, Su-Jing and Kpalma, Kidiyo and Meng, Weixiao and
             Liu, Yong-Jin},
  title   = {Video-Based Facial Micro-Expression Analysis: A Survey of Datasets, Features and Algorithms},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {44},
  number  = {9},
  pages   = {5826--5846},
  year    = {2022},
}""",
    folders=("MMEW", "MMEW_Final", "mmew"),
    check=_check(list_mmew, {}, None, None),
    onset_apex=f"{_MODULE}.published:list_mmew",
)
MEGC2019 = Dataset(
    id="megc2019",
    title="MEGC 2019 composite",
    summary="parts of CASME II, SMIC-HS and SAMM in three classes",
    licence="those of its three datasets",
    source="https://facial-micro-expressiongc.github.io/MEGC2019/: the organizers' list; the data from their authors",
    citation="""@inproceedings{see2019megc,
  author    = {See, John and Yap, Moi Hoon and Li, Jingting and Hong, Xiaopeng and Wang, Su-Jing},
  title     = {{MEGC} 2019 -- The Second Facial Micro-Expressions Grand Challenge},
  booktitle = {IEEE International Conference on Automatic Face and Gesture Recognition (FG)},
  year      = {2019},
}""",
    folders=("MEGC2019", "megc2019"),
    check=_check(
        list_megc2019,
        {"negative": 250, "positive": 109, "surprise": 83},
        sum(OFFICIAL_CLIPS.values()),
        OFFICIAL_SUBJECTS,
    ),
    counts={"clips": sum(OFFICIAL_CLIPS.values()), "subjects": OFFICIAL_SUBJECTS},
    onset_apex=f"{_MODULE}.composite:list_megc2019",
)
OWN_CLIPS = Dataset(
    id="own_clips",
    title="own clips",
    summary="clips of your own, listed in clips.csv",
    licence="yours",
    source="a folder of yours with clips.csv: its columns are clip, subject, onset, apex, offset, label and folder",
    citation="@misc{own_clips, title = {Clips of one's own}}",
    folders=("own_clips",),
    check=_check(list_own, {}, None, None),
    onset_apex=f"{_MODULE}.own_table:list_own",
)
